// SPDX-License-Identifier: Apache-2.0
#include "worker/upstream_connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/inline.h"
#include "common/base/log.h"
#include "worker/answer.h"
#include "worker/client_session.h"
#include "worker/pool.h"
#include "worker/server.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using stats::ServerStat;

RM_INLINE inline Fragment* UpstreamConnection::pop() {
    Fragment* fragment = head_;
    head_ = fragment->fifo_next;
    if (head_ == nullptr) {
        tail_ = nullptr;
    }
    if (first_unexpired_ == fragment) {
        first_unexpired_ = head_;
    }
    fragment->fifo_next = nullptr;
    --path_.fragments_in_flight;
    --fifo_count_;
    inherited_left_ -= inherited_left_ > 0 ? 1U : 0U;
    --fragment->request->at_servers;
    return fragment;
}

UpstreamConnection::UpstreamConnection(DataPath& path, ConnectionGroup& group)
    : path_(path),
      group_(&group),
      server_(&group.server()),
      redis_parser_(group.dialect() == Dialect::kResp3 ? proto::redis::Protocol::kResp3
                                                       : proto::redis::Protocol::kResp2),
      format_(reply_format(group.server().pool().config().redis, group.dialect())) {}

UpstreamConnection::~UpstreamConnection() {
    RM_ASSERT(head_ == nullptr);
    close_stream();
}

int UpstreamConnection::open() {
    RM_ASSERT(!is_open());
    RM_ASSERT(head_ == nullptr);
    if (server_->address().empty()) {
        return EHOSTDOWN;  // twemproxy: the text for a name that does not resolve
    }
    const int error = stream_.connect(path_.loop, server_->address(), *this);
    if (error != 0) {
        return error;
    }
    ++path_.total_connections;
    ++path_.curr_connections;
    path_.set_event_time();  // not every request comes with bytes that were just read
    last_progress_ms_ = path_.event_ms;
    attempt_floor_ms_ = server_->pool().attempt_floor_ms(server_->shard());
    queue_handshake();
    return 0;
}

// A busy worker spends most of its time in send(): while the server still works on what it has,
// more requests may join the next write. The server answers in order, so they would have waited
// there.
bool UpstreamConnection::should_hold_back() const noexcept {
    // The replies of a handshake leave fewer outstanding than are counted as unsent.
    return fifo_count_ >= uint64_t{unsent_count_} + path_.hold_back_from && !replied_ &&
           out_.bytes() < kHoldBackBytes;
}

void UpstreamConnection::flush_now() {
    if (!connected_) {
        return;  // on_connected() comes back to it
    }
    if (handshake_left_ > 0) {  // finish_handshake() comes back to the rest
        const Flushed flushed = flush(path_.memory, stream_, handshake_out_);
        if (flushed.result == FlushResult::kFailed) {
            fail(flushed.error);
        }
        return;
    }
    if (should_hold_back()) {
        return;  // on_read() comes back to it
    }
    const Flushed flushed = flush(path_.memory, stream_, out_);
    if (flushed.result == FlushResult::kFailed) {
        fail(flushed.error);
        return;
    }
    if (out_.empty()) {  // else an earlier write is not through: nothing of this has been sent
        replied_ = false;
        unsent_count_ = 0;
    }
    if (!waiting_.empty() && has_room()) {
        wake_waiting();
    }
}

// ---- reading ----

std::span<char> UpstreamConnection::on_alloc() noexcept {
    if (read_turn_ != path_.turn) {
        read_turn_ = path_.turn;
        read_this_turn_ = 0;
    }
    if (read_this_turn_ >= kReadBytesPerTurn) {
        return {};
    }
    return input_.prepare(path_.memory.chunks, path_.hot);
}

RM_INLINE inline void UpstreamConnection::deliver_plain(const Window& window, const char* data,
                                                        size_t size) {
    Request& request = *pop()->request;
    Server& server = *server_;
    server.pool().on_server_success(server.shard());
    server.note_success();
    server.stats().add(ServerStat::kResponses);
    server.stats().add(ServerStat::kResponseBytes, static_cast<int64_t>(size));
    request.client->on_reply(request, window, data, size);
}

inline void UpstreamConnection::deliver(const Window& window, const char* data, size_t size) {
    const Request& request = *head_->request;
    if (request.plain() && request.client != nullptr && !streaming_ && !retiring_ && !tied_ &&
        !head_->expired) [[likely]] {
        deliver_plain(window, data, size);
    } else {
        deliver_other(window, data, size);
    }
}

void UpstreamConnection::on_read(size_t size_bytes) noexcept {
    read_this_turn_ += size_bytes;
    path_.set_event_time();
    const uint64_t attempt_began_ms = std::exchange(last_progress_ms_, path_.event_ms);
    replied_ = true;
    if (!out_.empty()) {
        path_.flush.mark(*this);
    }
    Window window = input_.arrived(path_.hot, size_bytes);
    const char* at = window.begin;
    size_t left = window.size;
    while (left > 0) {
        // A stray reply: nobody may get it, least of all a request that is not sent yet.
        if ((head_ == nullptr || (handshake_left_ == 0 && fifo_count_ <= unsent_count_)) &&
            !is_push(at)) {
            server_->note_failure("sent a reply to no request", EINVAL);
            fail_since(EINVAL, attempt_began_ms);
            return;
        }
        size_t size = 0;
        if (format_ == ReplyFormat::kRedis) {
            if (redis_parser_.at_start()) {
                size = proto::redis::ReplyParser::whole_reply_bytes(at, left);
            }
        } else if (memcached_parser_.at_start()) {
            size = proto::memcached::ReplyParser::whole_reply_bytes(at, left);
            if (size == 0) [[unlikely]] {
                size = whole_meta_reply_bytes(at, left);
            }
        }
        if (size == 0) {
            const ParseStatus status = parse(at, left);
            if (status == ParseStatus::kNeedMore) {
                break;
            }
            if (status != ParseStatus::kDone) {
                if (format_ == ReplyFormat::kMemcachedBinary && !streaming_) {
                    fail_without_binary();
                    return;
                }
                server_->note_failure("sent what is no reply", EINVAL);
                fail_since(EINVAL, attempt_began_ms);
                return;
            }
            size = parser_position();
            const bool was_push = redis_parser_.is_push();
            parser_reset();
            if (was_push) {  // it answers nothing, and nobody has asked for it
                at += size;
                left -= size;
                continue;
            }
            if (format_ == ReplyFormat::kMemcachedBinary && !streaming_ &&
                !take_binary_reply(window, at, size)) {
                server_->note_failure("sent a reply to another request", EINVAL);
                fail_since(EINVAL, attempt_began_ms);
                return;
            }
        }
        deliver(window, at, size);
        if (!is_open()) {
            return;
        }
        at += size;
        left -= size;
    }
    if (left > 0 && is_push(at)) {
        drop_push_part(window, at, left);
    } else if (left > 0) {
        const size_t taken = stream_part(window, at, left);
        if (!is_open()) {
            return;
        }
        keep_rest(window, at + taken, left - taken);
        if (!is_open()) {
            return;
        }
    }
    if (head_ != nullptr && head_->request->client != nullptr &&
        head_->request->client->may_lag()) {
        judge_lag();
    }
}

// What begins at `at`, or goes on there.
bool UpstreamConnection::is_push(const char* at) const noexcept {
    return group_->dialect() == Dialect::kResp3 &&
           (redis_parser_.is_push() || (redis_parser_.at_start() && *at == '>'));
}

void UpstreamConnection::drop_push_part(Window& window, const char* data, size_t size) {
    const size_t taken = std::min(parser_position(), size);
    parser_rebase(taken);
    input_.keep(path_.memory.chunks, window, data + taken, size - taken, parser_needed(),
                path_.memory.spare());
}

void UpstreamConnection::deliver_other(const Window& window, const char* data, size_t size) {
    const bool was_streaming = streaming_;
    streaming_ = false;
    if (tied_) {
        untie(*head_);
    }
    Fragment* fragment = pop();
    Request* request = fragment->request;
    const bool lost_count = !was_streaming && may_answer_often(*request, {data, size});
    if (request->raw_key) {
        path_.raw_keys.remove(*request);
    }
    if (!request->handshake && !retiring_) {
        server_->pool().on_server_success(server_->shard());
    }
    if (request->handshake) {
        finish_handshake(request, {data, size});
    } else if (request->client == nullptr) {
        if (request->at_servers == 0) {
            release_request(path_.memory, request);
        }
    } else if (!fragment->expired) {
        server_->note_success();
        server_->stats().add(ServerStat::kResponses);
        server_->stats().add(ServerStat::kResponseBytes, static_cast<int64_t>(size));
        ClientSession* client = request->client;
        if (!was_streaming) {
            size -= bytes_kept_quiet(*request, {data, size});
        }
        if (was_streaming && request->streaming) {
            client->on_reply_part(*request, window, data, size);
            client->on_streamed(*request);
        } else if (was_streaming) {  // dropped while it came: nobody wants it
            if (--request->unanswered == 0) {
                client->on_answered(*request);
            }
        } else if (request->split == nullptr) {
            client->on_reply(*request, window, data, size);
        } else {
            client->store_reply(*fragment, window, data, size);
            if (--request->unanswered == 0) {
                client->on_answered(*request);
            }
        }
    }
    if (retiring_ && head_ == nullptr) {
        close_stream();
    } else if (lost_count) {
        end(ECONNRESET);
    }
}

size_t UpstreamConnection::stream_part(const Window& window, const char* data, size_t size) {
    Request& request = *head_->request;
    const size_t taken = std::min(parser_position(), size);
    if (taken == 0) {
        return 0;
    }
    if (!streaming_) {
        if (format_ == ReplyFormat::kMemcachedBinary && !take_binary_reply(window, data, size)) {
            server_->note_failure("sent a reply to another request", EINVAL);
            fail(EINVAL);
            return 0;
        }
        if (size <= kStreamingReplyBytes && parser_needed() <= kStreamingReplyBytes) {
            return 0;
        }
        if (request.split != nullptr && request.proxy_error) {
            expire_as_sibling(*head_);
        }
        const bool unwanted = request.client == nullptr || head_->expired || request.silent;
        const bool may_leave =
            !unwanted && request.split == nullptr && request.client->may_stream(request);
        if (request.handshake || (!unwanted && !may_leave)) {
            return 0;  // kept until it is whole
        }
        streaming_ = true;
        streamed_bytes_ = 0;
        request.streaming = may_leave;
    }
    streamed_bytes_ += taken;
    if (request.streaming && request.client != nullptr) {
        server_->stats().add(ServerStat::kResponseBytes, static_cast<int64_t>(taken));
        request.client->on_reply_part(request, window, data, taken);
    }
    parser_rebase(taken);
    return taken;
}

// ---- stream events ----

void UpstreamConnection::on_connected(int error) noexcept {
    if (error != 0) {
        server_->note_failure("cannot be connected to", error);
        path_.connect_failed(server_->pool(), server_->shard());
        fail(error);
        return;
    }
    connected_ = true;
    last_progress_ms_ = path_.loop.active_ms();
    server_->stats().add(ServerStat::kServerConnections);
    RM_LOG(kInfo, "connected to server '{}' of pool '{}'", server_->config().name,
           server_->pool().config().name);
    const int failed = stream_.start_reading();
    if (failed != 0) {
        fail(failed);
        return;
    }
    path_.flush.mark(*this);
}

void UpstreamConnection::on_drained() noexcept {
    last_progress_ms_ = path_.loop.active_ms();
    path_.flush.mark(*this);
}

UpstreamConnection::QueueLengths UpstreamConnection::queue_lengths() const noexcept {
    QueueLengths lengths;
    int64_t total = 0;
    for (const Fragment* f = head_; f != nullptr; f = f->fifo_next) {
        total += f->request_bytes;
    }
    int64_t sent = total - static_cast<int64_t>(out_.bytes() + handshake_out_.bytes() +
                                                stream_.bytes_queued());
    for (const Fragment* f = head_; f != nullptr; f = f->fifo_next) {
        const bool is_out = sent >= f->request_bytes;
        sent -= f->request_bytes;
        (is_out ? lengths.out_count : lengths.in_count) += 1;
        (is_out ? lengths.out_bytes : lengths.in_bytes) += f->request_bytes;
    }
    return lengths;
}

}  // namespace ringmaster::worker
