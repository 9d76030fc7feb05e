// SPDX-License-Identifier: Apache-2.0
// ClientSession: requests that do not arrive in one go. Their length is taken of max_memory as soon
// as a header tells it, so that what has been admitted can always arrive: no two half-sent bodies
// can wait for each other. What does not fit is answered with an error in its place, and its bytes
// are thrown away as they come.
#include <utility>

#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using stats::PoolStat;

[[gnu::noinline]] void ClientSession::keep_rest(Window& window, size_t used) {
    Memory& memory = path_.memory;
    const char* const rest = window.begin + used;
    const size_t size = window.size - used;
    const size_t needed = redis_        ? redis_parser_.bytes_needed()
                          : is_binary() ? binary_parser_.bytes_needed()
                                        : memcached_parser_.bytes_needed();
    if (needed <= kStashBytes) {
        // A line is kept in any case: refusing it would end the connection.
        if (!admits_stash(size) && !is_line()) {
            refuse_for_memory(window, used);
            return;
        }
        input_.keep(memory.chunks, window, rest, size, needed);
        if (size > kUncountedStashBytes) {
            count_body(size);
        }
        return;
    }
    const InputBuffer::Place place = InputBuffer::place_for(window, rest, needed);
    const size_t in_use = memory.bytes_in_use();
    const bool fits = memory.budget.admits_body(in_use, place.more, place.total);
    if (!fits && !place.own) {
        refuse_for_memory(window, used);
        return;
    }
    // What has its buffer goes on, whatever others have taken meanwhile.
    input_.keep(memory.chunks, window, rest, size, needed,
                fits ? memory.budget.spare_for_body(in_use, place.more, place.total) : 0);
    count_body(input_.own_bytes());
}

bool ClientSession::admits_stash(size_t size) const noexcept {
    const Memory& memory = path_.memory;
    return size <= kUncountedStashBytes || memory.budget.admits_stash(memory.bytes_in_use(), size);
}

// The end of the request is known when that of its first line is.
bool ClientSession::is_line() const noexcept {
    return redis_ ? redis_parser_.is_inline() : !is_binary() && !memcached_parser_.has_block();
}

void ClientSession::count_body(size_t size_bytes) noexcept {
    body_bytes_ = size_bytes;
    path_.memory.budget.add_body(size_bytes);
    watch();
    last_moved_ms_ = path_.loop.active_ms();
}

void ClientSession::refuse_for_memory(Window& window, size_t used) {
    const char* const rest = window.begin + used;
    const size_t size = window.size - used;
    pool_->stats().add(PoolStat::kOutOfMemory);
    if (redis_ && !redis_parser_.is_inline()) {
        refusing_ = true;
        drop_refused(window, rest, size);
        return;
    }
    if (is_binary()) {
        binary_parser_.refuse(proto::memcached::BinaryStatus::kOutOfMemory);
        const size_t dropped = drop_refused_binary(size);
        input_.keep(path_.memory.chunks, window, rest + dropped, size - dropped,
                    binary_parser_.bytes_needed());
        return;
    }
    if (!redis_) {
        const std::string_view line = server_error_line(false, kNoMemoryForRequest);
        memcached_parser_.refuse_block(line.data());
        const size_t dropped = drop_refused_bytes(size);
        if (dropped > 0) {
            input_.keep(path_.memory.chunks, window, rest + dropped, size - dropped,
                        memcached_parser_.bytes_needed());
            return;
        }
    }
    refuse_line_for_memory();
}

// Where it ends is not known, so nothing behind it can be understood.
void ClientSession::refuse_line_for_memory() {
    refuse_protocol(server_error_line(redis_, kNoMemoryForRequest));
    maybe_end();
}

void ClientSession::drop_refused(Window& window, const char* rest, size_t size) {
    const size_t dropped = redis_parser_.discardable(size);
    redis_parser_.rebase(dropped);
    input_.keep(path_.memory.chunks, window, rest + dropped, size - dropped,
                redis_parser_.bytes_needed());
}

[[gnu::noinline]] bool ClientSession::go_on_uploading(Window& window) {
    give_body_back();  // keep_rest() takes it again if it is still needed
    if (!refusing_) {
        return true;
    }
    const ParseStatus status = redis_parser_.parse(window.begin, window.size);
    if (status == ParseStatus::kNeedMore) {
        drop_refused(window, window.begin, window.size);
        return false;
    }
    refusing_ = false;
    if (status != ParseStatus::kDone) {
        refuse_protocol("-ERR " + std::string(redis_parser_.problem()) + "\r\n");
        return true;
    }
    window.begin += redis_parser_.position();
    window.size -= redis_parser_.position();
    redis_parser_.reset();
    answer_refused();
    return true;
}

void ClientSession::answer_refused() {
    const bool takes_skip = redis_client_ != nullptr && redis_client_->skip_next;
    if (takes_skip) {
        redis_client_->skip_next = false;
        redis_client_->skipping = true;
    }
    answer(server_error_line(true, kNoMemoryForRequest), true);
    if (takes_skip) {
        redis_client_->skipping = false;
        judge_quick();
    }
}

void ClientSession::give_body_back() noexcept {
    path_.memory.budget.remove_body(std::exchange(body_bytes_, 0));
}

void ClientSession::drop_input() noexcept {
    input_.clear();
    give_body_back();
}

}  // namespace ringmaster::worker
