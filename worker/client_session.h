// SPDX-License-Identifier: Apache-2.0
// One client's connection: parses its requests, keeps their order, sends their replies.
//
// Replies leave in request order, whatever server answers first. A protocol error is answered after
// all earlier replies and nothing behind it is parsed. After the client's FIN every complete
// request is still answered. Freed by the worker (DataPath::closed), never inside a callback.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/intrusive_list.h"
#include "common/io/stream.h"
#include "common/proto/memcached/request_parser.h"
#include "common/proto/redis/request_parser.h"
#include "worker/data_path.h"
#include "worker/flush_queue.h"
#include "worker/out_queue.h"
#include "worker/request.h"

namespace ringmaster::worker {

class Pool;

struct PoolTag {};

class ClientSession : public io::StreamHandler,
                      public FlushLink,
                      public base::ListLink<PoolTag>,
                      public base::ListLink<ClosedTag>,
                      public base::ListLink<PausedTag> {
  public:
    ClientSession(DataPath& path, Pool& pool);
    ~ClientSession() override;

    // Takes ownership of a connected descriptor. 0 or an errno.
    int start(int fd, bool is_unix);

    // ---- from upstream connections ----

    // The reply of an unsplit request, whole. It leaves now when it is its turn.
    void on_reply(Request& request, const Window& window, const char* data, size_t size);
    // A request whose outcome is stored (an error, or all fragments of a split one).
    void on_answered(Request& request);
    // True when a long reply of `request` may leave while it still arrives.
    [[nodiscard]] bool may_stream(const Request& request) const noexcept;
    void on_reply_part(Request& request, const Window& window, const char* data, size_t size);
    void on_streamed(Request& request);  // the last part was the last
    // A reply that has begun to leave can not be completed: the client is cut.
    void cut();

    // ---- from the worker ----

    void flush_now();
    // No more requests; ends when the last reply is out. An idle session ends at once.
    void finish();
    void resume_if_possible(uint64_t now_ms);
    void close(bool by_client);
    // The pool has no room for this client: it is told so and the connection ends.
    void refuse();

    [[nodiscard]] bool is_open() const noexcept { return stream_.is_open(); }
    Pool& pool() noexcept { return *pool_; }
    // Counts against client_connections of its pool, in the master's books.
    [[nodiscard]] bool holds_place() const noexcept { return holds_place_; }
    // Requires: the pool has client_connections.
    void take_place() noexcept { holds_place_ = true; }
    // A reload: later requests belong to `pool`, of the same protocol; those in flight stay where
    // they are. Touches neither the stream nor the order.
    void move_to(Pool& pool);
    // As finish(), but the stream is left alone until the turn ends: for orders that may arrive in
    // the middle of a read.
    void finish_soon();

    // io::StreamHandler
    std::span<char> on_alloc() noexcept override;
    void on_read(size_t size_bytes) noexcept override;
    void on_eof() noexcept override;
    void on_error(int error) noexcept override;
    void on_connected(int error) noexcept override;
    void on_drained() noexcept override;

  private:
    // redis_requests.cc: parses and handles all whole requests of a window; returns the bytes used.
    size_t parse_redis(const Window& window);
    bool parse_other_redis(const Window& window, size_t& used);
    void handle_inline(std::string_view line);
    bool handled_here(const proto::redis::RequestView& request);
    bool may_cross_shards(const proto::redis::RequestView& request, uint32_t shard);
    void handle_redis(const Window& window, const proto::redis::RequestView& request);
    void handle_other_redis(const Window& window, const proto::redis::RequestView& request);
    void forward_redis(const Window& window, const proto::redis::RequestView& request,
                       uint32_t shard);
    void handle_redis_local(const proto::redis::RequestView& request);
    void redis_auth(const proto::redis::RequestView& request);
    // memcached_requests.cc
    size_t parse_memcached(const Window& window);
    void handle_memcached(const Window& window, const proto::memcached::RequestView& request);
    size_t drop_refused_bytes(size_t arrived);
    void forward_memcached(const Window& window, const proto::memcached::RequestView& request,
                           std::string_view key);
    void flush_all(const proto::memcached::RequestView& request);
    void answer_memcached_stats(std::string_view what);

    // client_requests.cc: what both protocols need.
    Request& new_request();                             // forward.h
    void answer(std::string_view line, bool is_error);  // a local reply, in its place of the order
    void refuse_protocol(std::string_view line);        // answer, then the connection ends
    // Queues `fragment` at the server of `shard` and returns where its bytes go; null when
    // that failed, and the request has been answered with the error.
    OutQueue* forward(Fragment& fragment, uint32_t shard, size_t size_bytes);  // forward.h
    UpstreamConnection* connect_or_fail(Fragment& fragment, uint32_t shard);
    void fail_forward(Fragment& fragment, uint32_t shard);
    template <class Splitter, class View>
    void split_request(Splitter& splitter, const View& request, proto::redis::JoinPolicy join);
    SplitState& make_split(Request& request, size_t fragments, std::span<const uint32_t> key_map,
                           proto::redis::JoinPolicy join);
    void fail_fragment(Fragment& fragment, int error);

    void send_answered();
    void emit(Request& request);
    void emit_joined(Request& request);
    void pop_head() noexcept;  // answer.h
    void mark_dirty() {
        if (is_open()) {
            path_.flush.mark(*this);
        }
    }
    // Looked at after every read: false when no limit can be near.
    [[nodiscard]] bool may_need_pause() const noexcept {
        return out_.bytes() > kTightReplyBytes || request_count_ > kTightRequests || eof_ ||
               parsing_ended_ || stream_.write_pending() || path_.memory.tight();
    }
    void maybe_pause();
    void maybe_end();
    void begin_linger();
    [[nodiscard]] bool close_loses_nothing() const noexcept;

    DataPath& path_;
    Pool* pool_;  // changes with a reload; never null
    io::Stream stream_;
    OutQueue out_;
    InputBuffer input_;
    Request* head_ = nullptr;
    Request* tail_ = nullptr;
    uint32_t request_count_ = 0;
    bool redis_;
    bool authenticated_;
    bool gave_password_ = false;  // authenticated by a password, not by the lack of one
    bool parsing_ended_ = false;  // QUIT, protocol error, finish(): nothing more is parsed
    bool eof_ = false;            // the client has sent its last byte
    bool paused_ = false;
    bool lingering_ = false;  // FIN sent, its bytes are thrown away until it closes
    bool refused_ = false;    // the pool had no room for it
    bool holds_place_ = false;
    bool clean_end_ = false;  // QUIT: counts as the client's own end
    uint64_t read_turn_ = 0;
    size_t read_this_turn_ = 0;
    uint64_t last_moved_ms_ = 0;  // while paused or lingering: last time bytes went out
    size_t last_out_bytes_ = 0;
    proto::redis::RequestParser redis_parser_;
    proto::memcached::RequestParser memcached_parser_;
};

// Gives a request back to its slab once it has left its client and its servers: answer.h.
void release_request(Memory& memory, Request* request) noexcept;
void release_split(Request& request) noexcept;

}  // namespace ringmaster::worker
