// SPDX-License-Identifier: Apache-2.0
// ClientSession: back-pressure. When a client is read no more and when again, which connections to
// servers stop for it, and when it has to go. The limits are in limits.h and memory_budget.h.
#include <algorithm>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "common/base/log.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"
#include "worker/server.h"

namespace ringmaster::worker {

using stats::PoolStat;

// ---- reading ----

MemoryBudget::Load ClientSession::load() const noexcept {
    const uint64_t now_ms = path_.loop.active_ms();
    if (path_.memory.requests.live_count() > request_count_) {
        path_.shared_until_ms = now_ms + kLoneAfterMs;
    }
    return {unsent_bytes(), request_count_, now_ms >= path_.shared_until_ms};
}

void ClientSession::pause_if_due() {
    if (lingering_ || !is_open()) {
        return;
    }
    if (stream_.write_pending()) {
        watch();
    }
    if (holds_upstreams_) {
        go_on_if_possible();
    }
    // One that sends no more has only to take its replies.
    if (paused_ || parsing_ended_ || eof_) {
        return;
    }
    path_.memory.look();
    const MemoryBudget::Level level = path_.memory.level();
    if (crowded_ != nullptr || path_.memory.budget.must_stop(level, load())) {
        stream_.stop_reading();
        paused_ = true;
        paused_behind_ = path_.memory.budget.is_behind(level, load());
        watch();
    }
}

void ClientSession::set_turn_bytes(size_t size_bytes, uint32_t requests) noexcept {
    turn_bytes_ = static_cast<uint32_t>(turn_bytes_for(size_bytes, requests));
}

void ClientSession::go_on_if_possible() {
    const MemoryBudget& budget = path_.memory.budget;
    const MemoryBudget::Level level = path_.memory.level();
    if (holds_upstreams_ && unsent_bytes() <= budget.hold_limit(level, true) / 4) {
        release_upstreams();
    }
    if (is_waiting()) [[unlikely]] {
        if (wait_ == Wait::kForReplies && head_ == nullptr) {
            on_wait_over();
        }
        return;
    }
    if (paused_ && crowded_ == nullptr && !parsing_ended_ && !eof_ &&
        budget.may_start(level, load(), paused_behind_)) {
        paused_ = false;
        last_moved_ms_ = path_.loop.active_ms();
        stream_.start_reading();
    }
}

void ClientSession::wait_for_room(UpstreamConnection& connection) {
    if (crowded_ == nullptr) {
        crowded_ = &connection;
        connection.add_waiting(*this);
    }
}

void ClientSession::on_uncrowded() {
    base::ListLink<WaitingTag>& link = *this;
    link.unlink();
    crowded_ = nullptr;
    go_on_if_possible();
}

// ---- being watched ----

void ClientSession::watch() noexcept {
    base::ListLink<WatchedTag>& link = *this;
    if (!link.linked()) {
        path_.watched.push_back(*this);
        last_moved_ms_ = path_.loop.active_ms();
        last_out_bytes_ = bytes_to_go();
    }
}

// With what the kernel has: it takes more only when a good part of that is gone, which for a slow
// reader can be long.
size_t ClientSession::bytes_to_go() const noexcept {
    int in_kernel = 0;
    if (stream_.write_pending() && ::ioctl(stream_.fd(), SIOCOUTQ, &in_kernel) != 0) {
        in_kernel = 0;
    }
    return unsent_bytes() + static_cast<size_t>(in_kernel);
}

void ClientSession::stop_watching() noexcept {
    base::ListLink<WatchedTag>& link = *this;
    link.unlink();
}

void ClientSession::judge() {
    if (!is_open()) {
        return;
    }
    const uint64_t now_ms = path_.loop.active_ms();
    if (lingering_) {
        if (now_ms - last_moved_ms_ >= kLingerMs || (path_.stopping && close_loses_nothing())) {
            close(clean_end_);
        }
        return;
    }
    const size_t unsent = unsent_bytes();
    const size_t to_go = bytes_to_go();
    if (to_go != last_out_bytes_) {
        last_moved_ms_ = now_ms;
        last_out_bytes_ = to_go;
    }
    if (crowded_ != nullptr && crowded_->has_room()) {
        on_uncrowded();  // whoever was to wake it had no reason to
    }
    go_on_if_possible();
    const bool only_takes = (parsing_ended_ || eof_) && unsent > 0;
    if (!paused_ && !holds_upstreams_ && body_bytes_ == 0 && !only_takes &&
        !stream_.write_pending()) {
        stop_watching();
        return;
    }
    const uint64_t idle_ms = now_ms - last_moved_ms_;
    // A small one may stay while there are not too many.
    const bool is_body =
        body_bytes_ > kStashBytes || (body_bytes_ > 0 && path_.memory.budget.has_many_stashes());
    if (is_body && !paused_ && idle_ms >= kStuckClientMs) {
        drop("it has sent nothing more of the request it announced");
        return;
    }
    const MemoryBudget::Level level = path_.memory.level();
    const bool is_stopped =
        paused_ || holds_upstreams_ || only_takes || level != MemoryBudget::Level::kRelaxed;
    if (unsent > 0 && is_stopped && idle_ms >= patience_ms(level, unsent)) {
        drop("it takes none of its replies");
    }
}

uint64_t ClientSession::patience_ms(MemoryBudget::Level level, size_t unsent) const noexcept {
    const uint64_t patience_ms = MemoryBudget::patience_ms(level, unsent);
    const uint64_t timeout_ms = pool_->config().timeout_ms;
    if (!holds_upstreams_ || timeout_ms == 0) {
        return patience_ms;
    }
    return std::min(patience_ms, std::max(timeout_ms, kLeastHoldPatienceMs));
}

void ClientSession::drop(std::string_view why) {
    RM_LOG(kNotice, "pool '{}': client {} is closed: {}; unsent bytes={} requests={}",
           pool_->config().name, stream_.peer().text(), why, unsent_bytes(), request_count_);
    pool_->stats().add(PoolStat::kClientsDropped);
    close(false);
}

void ClientSession::leave_queues() noexcept {
    stop_waiting();
    FlushLink::unlink();
    stop_watching();
    base::ListLink<WaitingTag>& waiting = *this;
    waiting.unlink();
    crowded_ = nullptr;
    if (holds_upstreams_) {
        release_upstreams();
    }
    for (ConnectionGroup* group : path_.diverting) {
        group->ties().forget(this);
    }
}

// ---- a client that lags behind its replies ----

bool ClientSession::lags(bool large_reply) const noexcept {
    return stream_.write_pending() &&
           unsent_bytes() > path_.memory.budget.hold_limit(path_.memory.level(), large_reply);
}

void ClientSession::on_hold() noexcept {
    holds_upstreams_ = true;
    watch();
}

void ClientSession::on_unheld() noexcept {
    holds_upstreams_ = false;
    UpstreamConnection* connection = path_.held.front_or_null();
    for (; connection != nullptr; connection = path_.held.next_or_null(*connection)) {
        holds_upstreams_ = holds_upstreams_ || connection->is_held_by(*this);
    }
}

void ClientSession::on_no_hold() {
    if (unsent_bytes() > path_.memory.budget.reply_limit(path_.memory.level())) {
        drop("it takes its replies too slowly, as do others");
    }
}

void ClientSession::release_upstreams() noexcept {
    holds_upstreams_ = false;
    UpstreamConnection* connection = path_.held.front_or_null();
    while (connection != nullptr) {
        UpstreamConnection* next = path_.held.next_or_null(*connection);
        if (connection->is_held_by(*this)) {
            connection->release();
        }
        connection = next;
    }
}

// ---- replies that wait for an earlier one ----

void ClientSession::store_reply(Fragment& fragment, const Window& window, const char* data,
                                size_t size) {
    Memory& memory = path_.memory;
    // Below that no limit can be reached but that of a full memory.
    if (memory.full || parked_bytes_ + size > kTightReplyBytes) [[unlikely]] {
        memory.look();
        const size_t limit = memory.budget.parked_limit(memory.level());
        const std::string_view line = server_error_line(redis_, kNoMemoryForReply);
        // A reply no longer than the error is kept: it is most often the word that a write is done,
        // and there are no more of them than requests.
        if (size > line.size() && (size > limit || parked_bytes_ > limit - size)) {
            fragment.reply.data = line.data();
            fragment.reply.size = line.size();
            fragment.request->proxy_error = true;
            pool_->stats().add(PoolStat::kOutOfMemory);
            return;
        }
    }
    parked_bytes_ += size;
    fragment.parked = true;
    fragment.reply = memory.park(window.chunk, data, size);
}

void ClientSession::unpark(const Request& request) noexcept {
    const auto give_back = [this](const Fragment& fragment) {
        if (fragment.parked) {
            RM_DEBUG_ASSERT(parked_bytes_ >= fragment.reply.size);
            parked_bytes_ -= fragment.reply.size;
        }
    };
    if (request.split == nullptr) {
        give_back(request.fragment);
        return;
    }
    for (const Fragment& fragment : request.split->fragments) {
        give_back(fragment);
    }
}

}  // namespace ringmaster::worker
