// SPDX-License-Identifier: Apache-2.0
#include "worker/client_session.h"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/answer.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using stats::PoolStat;

void release_split(Request& request) noexcept {
    // The state lies in the chunk it refers to: destroy what is in it before letting go.
    SplitState* split = std::exchange(request.split, nullptr);
    const base::ChunkRef memory_of_split = std::move(split->memory);
    for (Fragment& fragment : split->fragments) {
        fragment.~Fragment();
    }
    split->~SplitState();
}

ClientSession::ClientSession(DataPath& path, Pool& pool)
    : path_(path),
      pool_(&pool),
      redis_(pool.config().redis),
      authenticated_(pool.config().asks_nobody()) {
    static_assert(std::is_trivially_destructible_v<proto::redis::RequestParser>);
    static_assert(std::is_trivially_destructible_v<proto::memcached::RequestParser>);
    static_assert(std::is_trivially_destructible_v<proto::memcached::BinaryRequestParser>);
    if (redis_) {
        std::construct_at(&redis_parser_);
    } else {
        std::construct_at(&memcached_parser_);
        dialect_ = Dialect::kMemcachedBinary;
    }
    judge_quick();
}

ClientSession::~ClientSession() {
    RM_ASSERT(head_ == nullptr);
}

int ClientSession::start(int fd, bool is_unix) {
    const int error = stream_.adopt(path_.loop, fd, is_unix, *this);
    if (error != 0) {
        return error;
    }
    if (pool_->config().tcpkeepalive && !is_unix) {
        stream_.set_keepalive(true);
    }
    const int failed = stream_.start_reading();
    if (failed != 0) {
        stream_.close();
        return failed;
    }
    id_ = path_.client_ids.next(DataPath::unix_us());
    ++path_.total_connections;
    ++path_.curr_connections;
    pool_->stats().add(PoolStat::kClientConnections);
    RM_LOG(kInfo, "pool '{}': client {} connected", pool_->config().name, stream_.peer().text());
    return 0;
}

// ---- reading ----

std::span<char> ClientSession::on_alloc() noexcept {
    if (read_turn_ != path_.turn) {
        read_turn_ = path_.turn;
        read_this_turn_ = 0;
    }
    if (read_this_turn_ >= turn_bytes_) {
        return {};  // the others have their turn; epoll tells us again
    }
    path_.catch_up_before_read();
    const std::span<char> room = input_.prepare(path_.memory.chunks, path_.hot);
    return room.first(std::min<size_t>(room.size(), turn_bytes_ - read_this_turn_));
}

void ClientSession::on_read(size_t size_bytes) noexcept {
    read_this_turn_ += static_cast<uint32_t>(size_bytes);  // bounded by on_alloc()
    path_.set_event_time();
    Window window = input_.arrived(path_.hot, size_bytes);
    if (parsing_ended_) {
        return;  // lingering, or answering what came before the end
    }
    if ((body_bytes_ > 0 || refusing_) && !go_on_uploading(window)) {
        return;
    }
    const uint32_t before = request_count_;
    path_.other_work = 0;
    const size_t used = redis_                                   ? parse_redis(window)
                        : is_binary() && learn_is_binary(window) ? parse_binary(window)
                                                                 : parse_memcached(window);
    if (size_bytes >= kLeastTurnBytes) {
        const uint32_t queued = request_count_ > before ? request_count_ - before : 0;
        set_turn_bytes(size_bytes, queued + path_.other_work);
    }
    if (!is_open()) {
        return;
    }
    if (parsing_ended_) {
        maybe_end();
        return;
    }
    if (used < window.size) [[unlikely]] {
        if (is_waiting()) {
            keep_waiting(window, used);
            return;
        }
        keep_rest(window, used);
    }
    maybe_pause();
}

void ClientSession::on_eof() noexcept {
    eof_ = true;
    if (input_.size() > 0) {
        RM_LOG(kInfo, "pool '{}': a client left in the middle of a request, {} bytes dropped",
               pool_->config().name, input_.size());
        drop_input();
    }
    if (lingering_) {
        close(clean_end_);
        return;
    }
    parsing_ended_ = true;
    maybe_end();
}

void ClientSession::on_error(int error) noexcept {
    RM_LOG(kInfo, "pool '{}': client connection failed: {}", pool_->config().name,
           base::errno_text(error));
    close(lingering_ && clean_end_);
}

void ClientSession::on_connected(int error) noexcept {
    RM_ASSERT(error != 0 && false);  // client connections are accepted, never made
}

// ---- replies ----

bool ClientSession::may_stream(const Request& request) const noexcept {
    return &request == head_;
}

void ClientSession::on_answered(Request& request) {
    if (&request == head_) {
        send_answered();
        mark_dirty();
    }
}

void ClientSession::on_reply_part(Request& request, const Window& window, const char* data,
                                  size_t size) {
    RM_DEBUG_ASSERT(&request == head_);
    out_.append_from(path_.memory, window.chunk, data, size);
    mark_dirty();
}

void ClientSession::on_streamed(Request& request) {
    RM_DEBUG_ASSERT(&request == head_);
    pop_head();
    send_answered();
    mark_dirty();
}

void ClientSession::cut() {
    RM_LOG(kInfo, "pool '{}': a reply broke off half-way, closing its client",
           pool_->config().name);
    while (head_ != nullptr) {
        pop_head();
    }
    parsing_ended_ = true;
    clean_end_ = false;
    drop_input();
    mark_dirty();  // what was answered before it still leaves, then the end
}

void ClientSession::send_answered() {
    while (head_ != nullptr && head_->unanswered == 0) {
        emit(*head_);
        pop_head();
    }
}

void ClientSession::emit(Request& request) {
    if (parked_bytes_ > 0) {
        unpark(request);
    }
    if (request.silent) {
        return;
    }
    if (request.proxy_error) {
        pool_->stats().add(PoolStat::kForwardError);
        if (is_binary()) {
            emit_binary_error(request);
            return;
        }
    }
    if (request.split != nullptr) {
        emit_joined(request);
        return;
    }
    const StoredReply& reply = request.fragment.reply;
    out_.append_from(path_.memory, reply.chunk, reply.data, reply.size);
}

void ClientSession::emit_joined(Request& request) {
    if (is_binary()) {
        emit_binary_joined(request);
        return;
    }
    SplitState& split = *request.split;
    path_.join_replies.clear();
    for (const Fragment& fragment : split.fragments) {
        path_.join_replies.push_back(fragment.reply.view());
    }
    path_.join_cursors.assign(split.fragments.size(), 0);
    // A large element is referenced in its fragment's chunk instead of being copied: find which.
    const auto append_piece = [&](std::string_view piece) {
        if (piece.size() >= kReferenceBytes) {
            for (const Fragment& fragment : split.fragments) {
                const StoredReply& reply = fragment.reply;
                if (piece.data() >= reply.data && piece.data() < reply.data + reply.size) {
                    out_.append_from(path_.memory, reply.chunk, piece.data(), piece.size());
                    return;
                }
            }
        }
        out_.append(path_.memory, piece);
    };
    std::string_view piece;
    if (redis_) {
        auto& joiner = path_.redis_joiner;
        const bool good =
            joiner.begin(split.join, path_.join_replies, split.fragment_of_key, path_.join_cursors);
        out_.append(path_.memory, joiner.head());
        while (good && joiner.next_piece(piece)) {
            append_piece(piece);
        }
        return;
    }
    auto& joiner = path_.memcached_joiner;
    if (!joiner.begin(path_.join_replies, split.fragment_of_key, path_.join_cursors)) {
        out_.append(path_.memory, joiner.error());
        return;
    }
    while (joiner.next_piece(piece)) {
        append_piece(piece);
    }
}

// ---- writing ----

void ClientSession::flush_now() {
    if (!is_open()) {
        return;
    }
    switch (flush(path_.memory, stream_, out_).result) {
        case FlushResult::kFailed:
            close(false);
            return;
        case FlushResult::kBlocked:
            if (paused_) {
                go_on_if_possible();  // it may have stopped for its requests, not its replies
            }
            pause_if_due();
            return;
        case FlushResult::kAllOut:
            if (parsing_ended_ || eof_) [[unlikely]] {
                maybe_end();
            }
            if ((paused_ || holds_upstreams_) && is_open()) {
                go_on_if_possible();
            }
            return;
    }
}

void ClientSession::on_drained() noexcept {
    mark_dirty();
}

// ---- ending ----

void ClientSession::refuse() {
    refused_ = true;
    // Redis' own text; memcached has none for this.
    refuse_protocol(redis_ ? "-ERR max number of clients reached\r\n"
                           : "SERVER_ERROR max number of clients reached\r\n");
    mark_dirty();
}

void ClientSession::finish() {
    parsing_ended_ = true;
    clean_end_ = true;
    drop_input();
    maybe_end();
}

void ClientSession::finish_soon() {
    parsing_ended_ = true;
    clean_end_ = true;
    drop_input();
    mark_dirty();
}

void ClientSession::move_to(Pool& pool) {
    const config::PoolConfig& now = pool.config();
    RM_ASSERT(now.redis == redis_);
    if (now.tcpkeepalive != pool_->config().tcpkeepalive && is_open()) {
        stream_.set_keepalive(now.tcpkeepalive);
    }
    base::ListLink<PoolTag>& link = *this;
    link.unlink();
    if (wait_ == Wait::kForPool) {
        pool_->forget_waiting(*this);
        on_wait_over();  // it asks the other one
    }
    pool.clients().push_back(*this);
    pool_->stats().add(PoolStat::kClientConnections, -1);
    pool.stats().add(PoolStat::kClientConnections);
    pool_ = &pool;
    // Who gave a password has it for good; who needed none needs it now if there is one.
    set_authenticated(now.asks_nobody() || gave_password_);
    if (!authenticated_ && !redis_ && !is_binary()) {
        finish_soon();  // the text protocol has no password to give
    }
    holds_place_ = now.client_connections > 0 && !refused_;
}

void ClientSession::maybe_end() {
    const bool over = parsing_ended_ || eof_;
    if (!over || !is_open() || head_ != nullptr || !out_.empty() || stream_.write_pending()) {
        return;
    }
    if (eof_) {
        close(true);
    } else if (path_.stopping && close_loses_nothing()) {
        // The FIN goes first: what arrives between that look and the close makes it a reset.
        stream_.shutdown_write();
        close(clean_end_);
    } else if (!lingering_) {
        begin_linger();
    }
}

// A close with unread input is a reset, which takes replies with it that the client's kernel has
// not got yet.
bool ClientSession::close_loses_nothing() const noexcept {
    int unread = 0;
    int unacknowledged = 0;
    return ::ioctl(stream_.fd(), FIONREAD, &unread) != 0 ||
           ::ioctl(stream_.fd(), SIOCOUTQ, &unacknowledged) != 0 ||
           (unread == 0 && unacknowledged == 0);
}

void ClientSession::begin_linger() {
    // A plain close with unread input would reset the connection and could take the last reply with
    // it: send FIN, throw away what still comes, close at the client's end or after kLingerMs.
    lingering_ = true;
    stop_watching();
    stream_.shutdown_write();
    if (paused_) {
        paused_ = false;
        stream_.start_reading();
    }
    watch();
}

void ClientSession::close(bool by_client) {
    if (!is_open()) {
        return;
    }
    RM_LOG(kInfo, "pool '{}': client {} {}, unanswered={}", pool_->config().name,
           stream_.peer().text(), by_client ? "left" : "was closed", request_count_);
    pool_->stats().add(by_client ? PoolStat::kClientEof : PoolStat::kClientErr);
    pool_->stats().add(PoolStat::kClientConnections, -1);
    --path_.curr_connections;
    stream_.close();
    while (head_ != nullptr) {
        pop_head();  // abandoned: freed now, or when its last fragment comes home
    }
    out_.clear(path_.memory);
    drop_input();
    if (holds_place_) {
        holds_place_ = false;
        path_.give_place_back(*pool_);
    }
    leave_queues();
    static_cast<base::ListLink<PoolTag>*>(this)->unlink();
    path_.closed.push_back(*this);
}

}  // namespace ringmaster::worker
