// SPDX-License-Identifier: Apache-2.0
// ClientSession: a request that may not be handled before something else has happened. HELLO and
// RESET change by which connections later requests go, so all earlier replies have to be there
// first: a GET on one connection could else overtake the SET on the other. HELLO 3 may also wait
// until the servers have said whether they speak RESP3.
//
// Such a request and all behind it stay unparsed, and the client is not read. When the wait is over
// they are parsed at the end of the turn, as if they had just come. Where there is no room
// for them the client is told so, behind its earlier replies, and the connection ends.
#include <algorithm>

#include "worker/client_session.h"
#include "worker/pool.h"

namespace ringmaster::worker {

bool ClientSession::wait_for_replies() noexcept {
    if (head_ == nullptr) {
        return false;
    }
    wait_ = Wait::kForReplies;
    return true;
}

bool ClientSession::wait_for_pool() {
    const Resp3Support::Verdict verdict = pool_->resp3_for(*this);
    if (verdict != Resp3Support::Verdict::kOpen) {
        return false;
    }
    wait_ = Wait::kForPool;
    return true;
}

// As a body that arrives: what has been admitted is kept whatever others have taken meanwhile, and
// requests that need not wait have the rest of max_memory.
[[gnu::noinline]] void ClientSession::keep_waiting(Window& window, size_t used) {
    Memory& memory = path_.memory;
    const char* const rest = window.begin + used;
    const size_t size = window.size - used;
    const InputBuffer::Place place = InputBuffer::place_for(window, rest, size);
    const bool fits = size <= kStashBytes ? admits_stash(size)
                                          : memory.budget.admits_body(memory.bytes_in_use(),
                                                                      place.more, place.total);
    if (!fits && !window.own_buffer) {
        stop_waiting();
        pool_->stats().add(stats::PoolStat::kOutOfMemory);
        refuse_line_for_memory();
        return;
    }
    input_.keep(memory.chunks, window, rest, size, size, 0);  // no more comes behind it
    if (size > kUncountedStashBytes) {
        count_body(size <= kStashBytes ? size : input_.own_bytes());
    }
    if (!paused_) {
        stream_.stop_reading();
        paused_ = true;
        paused_behind_ = false;
    }
    mark_dirty();  // what it waits for may have happened meanwhile
}

void ClientSession::on_wait_over() {
    wait_ = Wait::kOver;
    path_.resumed.push_back(this);
}

void ClientSession::stop_waiting() noexcept {
    if (wait_ == Wait::kForPool) {
        pool_->forget_waiting(*this);
    } else if (wait_ == Wait::kOver) {
        std::erase(path_.resumed, this);
    }
    wait_ = Wait::kNot;
}

void ClientSession::go_on_parsing() {
    RM_ASSERT(wait_ == Wait::kOver);
    wait_ = Wait::kNot;
    if (!is_open() || parsing_ended_ || input_.size() == 0) {
        return;
    }
    (void)input_.prepare(path_.memory.chunks, path_.hot);  // a stash goes to the hot chunk
    on_read(0);
    if (is_open() && !is_waiting()) {
        go_on_if_possible();
    }
}

}  // namespace ringmaster::worker
