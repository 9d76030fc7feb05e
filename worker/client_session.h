// SPDX-License-Identifier: Apache-2.0
// One client's connection: parses its requests, keeps their order, sends their replies.
//
// Replies leave in request order, whatever server answers first. A protocol error is answered after
// all earlier replies and nothing behind it is parsed. After the client's FIN every complete
// request is still answered. Freed by the worker (DataPath::closed), never inside a callback.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/inline.h"
#include "common/base/intrusive_list.h"
#include "common/io/stream.h"
#include "common/proto/memcached/binary_request_parser.h"
#include "common/proto/memcached/request_parser.h"
#include "common/proto/redis/client_line.h"
#include "common/proto/redis/protocol.h"
#include "common/proto/redis/request_parser.h"
#include "common/proto/redis/subcommands.h"
#include "worker/data_path.h"
#include "worker/dialect.h"
#include "worker/flush_queue.h"
#include "worker/out_queue.h"
#include "worker/redis_client.h"
#include "worker/request.h"

namespace ringmaster::worker {

class Pool;
class UpstreamConnection;
struct LocalCall;

class ClientSession : public io::StreamHandler,
                      public FlushLink,
                      public base::ListLink<PoolTag>,
                      public base::ListLink<WatchedTag>,
                      public base::ListLink<WaitingTag> {
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

    // ---- back-pressure: client_pressure.cc ----

    // Replies that have not left.
    [[nodiscard]] size_t unsent_bytes() const noexcept {
        return out_.bytes() + stream_.bytes_queued();
    }
    // Worth asking lags(): never true for a client that reads.
    [[nodiscard]] bool may_lag() const noexcept { return out_.bytes() > kTightReplyBytes; }
    // The kernel takes nothing more and enough waits that a connection with more of it should stop.
    [[nodiscard]] bool lags(bool large_reply) const noexcept;
    // The connection that brings its next reply has stopped for it.
    void on_hold() noexcept;
    // One that had stopped for it is gone.
    void on_unheld() noexcept;
    // It lags, and no further connection can be spared for it.
    void on_no_hold();
    // Keeps a reply, or an error instead where there is no room for it.
    void store_reply(Fragment& fragment, const Window& window, const char* data, size_t size);
    // It waits for the queue of that connection no longer.
    void on_uncrowded();
    // Looks whether it may go on, or has to go.
    void judge();

    // ---- waiting: client_waits.cc ----

    // What the request at the front waits for has happened: go_on_parsing() at the end of the turn.
    void on_wait_over();
    void go_on_parsing();

    // ---- from the worker ----

    void flush_now();
    // No more requests; ends when the last reply is out. An idle session ends at once.
    void finish();
    void close(bool by_client);
    // The pool has no room for this client: it is told so and the connection ends.
    void refuse();

    [[nodiscard]] bool is_open() const noexcept { return stream_.is_open(); }
    Pool& pool() noexcept { return *pool_; }
    // See ClientIds.
    [[nodiscard]] uint64_t id() const noexcept { return id_; }
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
    // What the first request that is not handled yet waits for.
    enum class Wait : uint8_t { kNot, kForReplies, kForPool, kOver };

    // redis_requests.cc: parses and handles all whole requests of a window; returns the bytes used.
    size_t parse_redis(const Window& window);
    bool parse_other_redis(const Window& window, size_t& used);
    void handle_inline(std::string_view line);
    bool handled_here(const proto::redis::RequestView& request);
    bool may_cross_shards(const proto::redis::RequestView& request, uint32_t shard);
    // False: it waits (client_waits.cc), and has to be handled again.
    bool handle_redis(const Window& window, const proto::redis::RequestView& request);
    void handle_other_redis(const Window& window, const proto::redis::RequestView& request);
    void handle_unusual_redis(const Window& window, const proto::redis::RequestView& request);
    void forward_redis(const Window& window, const proto::redis::RequestView& request,
                       uint32_t shard, bool silent);
    void redis_auth(LocalCall& call);
    [[nodiscard]] bool is_right_password(std::string_view user, std::string_view given) const;
    // redis_hello.cc
    void redis_hello(const proto::redis::RequestView& request);
    bool take_hello_options(proto::redis::ArgumentCursor& cursor, uint32_t left);
    void answer_hello();
    void redis_reset();
    void set_authenticated(bool authenticated) noexcept;
    // Made when something of it is said. Call judge_quick() after a change of its replies.
    RedisClient& redis_client();
    [[nodiscard]] bool is_mute() const noexcept {
        return redis_client_ != nullptr && redis_client_->is_mute();
    }
    void judge_quick() noexcept;
    // redis_local.cc, redis_client_command.cc, redis_info.cc, redis_command_command.cc: what is
    // answered here. write_...: the reply goes to `call`.
    [[nodiscard]] proto::redis::Protocol protocol() const noexcept {
        return dialect_ == Dialect::kResp3 ? proto::redis::Protocol::kResp3
                                           : proto::redis::Protocol::kResp2;
    }
    std::string local_subcommand_problem(const proto::redis::RequestView& request,
                                         const proto::redis::SubcommandRow*& sub);
    void handle_redis_local(const proto::redis::RequestView& request,
                            const proto::redis::SubcommandRow* sub);
    void answer_local(const LocalCall& call);
    void answer_error(std::string_view text);  // without '-' and CRLF
    void write_local(LocalCall& call);
    void write_subcommand(LocalCall& call);
    void write_client_getname(LocalCall& call);
    void write_client_setname(LocalCall& call);
    void write_client_switch(LocalCall& call, bool RedisClient::*flag);
    void write_client_setinfo(LocalCall& call);
    void write_client_reply(LocalCall& call);
    void write_client_list(LocalCall& call);
    bool may_look_at_all() noexcept;
    void write_client_kill(LocalCall& call);
    void write_info(LocalCall& call);
    enum class CommandTable : uint8_t { kInfo, kDocs };
    void write_command_table(LocalCall& call, CommandTable table);
    void write_command_keys(LocalCall& call, bool with_flags);
    // `command`: what it is doing, if that is known.
    [[nodiscard]] proto::redis::ClientFacts describe(std::string_view command) const;
    void end_in_order() noexcept;
    // memcached_requests.cc
    size_t parse_memcached(const Window& window);
    void forward_as_it_came(const Window& window, std::string_view request, std::string_view key);
    void handle_memcached(const Window& window, const proto::memcached::RequestView& request);
    size_t drop_refused_bytes(size_t arrived);
    void forward_memcached(const Window& window, const proto::memcached::RequestView& request);
    void append_memcached(OutQueue& out, const Window& window,
                          const proto::memcached::RequestView& request);
    void flush_all(const proto::memcached::RequestView& request);
    void answer_memcached_stats(std::string_view what);
    [[nodiscard]] std::vector<std::pair<std::string_view, std::string>> memcached_stats() const;
    // binary_requests.cc: memcached's binary protocol
    bool learn_is_binary(const Window& window);
    size_t parse_binary(const Window& window);
    void handle_binary(const Window& window, const proto::memcached::BinaryRequestView& request);
    size_t drop_refused_binary(size_t arrived);
    void refuse_unauthenticated(const proto::memcached::BinaryRequestView& request);
    Request& new_binary_request(const Window& window,
                                const proto::memcached::BinaryRequestView& request);
    void forward_binary(const Window& window, const proto::memcached::BinaryRequestView& request);
    void flush_binary(const Window& window, const proto::memcached::BinaryRequestView& request);
    void answer_binary_stats(const proto::memcached::BinaryRequestView& request);
    void handle_sasl(const proto::memcached::BinaryRequestView& request);
    void emit_binary_error(const Request& request);
    void emit_binary_joined(const Request& request);
    [[nodiscard]] bool is_binary() const noexcept { return dialect_ == Dialect::kMemcachedBinary; }
    void answer_cluster_config();
    // meta_requests.cc: memcached's meta commands
    bool take_meta(const Window& window, size_t& used);
    bool take_meta_set(const Window& window, size_t& used);
    void forward_quiet_get(std::string_view request, std::string_view key, std::string_view quiet);
    void forward_meta(const Window& window, const proto::memcached::RequestView& request);
    void note_raw_key(Request& request, std::string_view key);

    // client_requests.cc: what both protocols need.
    Request& new_request();                             // forward.h
    void answer(std::string_view line, bool is_error);  // a local reply, in its place of the order
    void refuse_protocol(std::string_view line);        // answer, then the connection ends
    // Queues `fragment` at the server of `shard` and returns where its bytes go; null when
    // that failed, and the request has been answered with the error.
    OutQueue* forward(Fragment& fragment, uint32_t shard, size_t size_bytes);  // forward.h
    UpstreamConnection* connect_or_fail(Fragment& fragment, uint32_t shard);
    void fail_forward(Fragment& fragment, uint32_t shard, size_t size_bytes);
    // Where Memory::may_refuse.
    [[nodiscard]] bool refuses_for_memory(uint32_t shard, size_t size_bytes) const noexcept;
    void wait_for_room(UpstreamConnection& connection);
    template <class Splitter, class View>
    void split_request(Splitter& splitter, const Window& window, const View& request,
                       proto::redis::JoinPolicy join);
    SplitState& make_split(Request& request, size_t fragments, std::span<const uint32_t> key_map,
                           proto::redis::JoinPolicy join);
    void fail_fragment(Fragment& fragment, int error);

    void send_answered();
    void unpark(const Request& request) noexcept;
    void emit(Request& request);
    void emit_joined(Request& request);
    void pop_head() noexcept;  // answer.h
    RM_INLINE void mark_dirty() {
        if (is_open()) {
            path_.flush.mark(*this);
        }
    }
    // After each read, and when the kernel takes no more.
    void maybe_pause() {
        if (out_.bytes() > kTightReplyBytes || request_count_ > kFairRequests ||
            crowded_ != nullptr || path_.memory.is_short()) {
            pause_if_due();
        }
    }
    void pause_if_due();
    // How much it may bring in a turn, after a read that made so many requests.
    void set_turn_bytes(size_t size_bytes, uint32_t requests) noexcept;
    void watch() noexcept;
    [[nodiscard]] size_t bytes_to_go() const noexcept;
    void stop_watching() noexcept;
    void leave_queues() noexcept;
    [[nodiscard]] MemoryBudget::Load load() const noexcept;
    void go_on_if_possible();
    void release_upstreams() noexcept;
    void drop(std::string_view why);
    [[nodiscard]] uint64_t patience_ms(MemoryBudget::Level level, size_t unsent) const noexcept;
    // client_waits.cc: requests that may not be handled yet.
    // True: it waits, and the request must be handled again then.
    bool wait_for_replies() noexcept;
    bool wait_for_pool();
    [[nodiscard]] bool is_waiting() const noexcept { return wait_ != Wait::kNot; }
    void keep_waiting(Window& window, size_t used);
    void stop_waiting() noexcept;
    // client_uploads.cc: requests that do not arrive in one go.
    void keep_rest(Window& window, size_t used);
    // A read of a request that did not come in one go. False: there is nothing to parse in it.
    bool go_on_uploading(Window& window);
    [[nodiscard]] bool admits_stash(size_t size) const noexcept;
    [[nodiscard]] bool is_line() const noexcept;
    void answer_refused();
    void count_body(size_t size_bytes) noexcept;
    void refuse_for_memory(Window& window, size_t used);
    void refuse_line_for_memory();
    void drop_refused(Window& window, const char* rest, size_t size);
    void drop_input() noexcept;
    void give_body_back() noexcept;
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
    // Redis: authenticated, and every request is answered: plain ones need no other look.
    bool quick_ = false;
    bool parsing_ended_ = false;  // QUIT, protocol error, finish(): nothing more is parsed
    // First, so that no shift is needed. Of the connections that carry its requests; of memcached
    // binary until its first byte has come.
    Dialect dialect_ : 2 = Dialect::kPlain;
    Wait wait_ : 2 = Wait::kNot;
    bool redis_ : 1;
    bool authenticated_ : 1;
    bool gave_password_ : 1 = false;  // authenticated by a password, not by the lack of one
    bool dialect_known_ : 1 = false;  // memcached: its first byte has come
    bool eof_ : 1 = false;            // the client has sent its last byte
    bool paused_ : 1 = false;         // not read
    bool paused_behind_ : 1 = false;  // as it was behind with its replies
    bool refusing_ : 1 = false;       // Redis: the rest of this request is thrown away
    bool holds_upstreams_ : 1 = false;
    bool lingering_ : 1 = false;  // FIN sent, its bytes are thrown away until it closes
    bool refused_ : 1 = false;    // the pool had no room for it
    bool holds_place_ : 1 = false;
    bool clean_end_ : 1 = false;                 // QUIT: counts as the client's own end
    uint64_t id_ = 0;                            // since start()
    uint64_t read_turn_ = 0;                     // the turn of its last read; tells its time, too
    uint32_t read_this_turn_ = 0;                // bytes
    uint32_t turn_bytes_ = kFirstTurnBytes;      // most of that
    std::unique_ptr<RedisClient> redis_client_;  // null: all is as at the beginning
    uint64_t last_moved_ms_ = 0;  // while watched: the last time bytes went out, or of a body came
    size_t last_out_bytes_ = 0;
    size_t body_bytes_ = 0;    // taken of the budget: the request that arrives, or waits
    size_t parked_bytes_ = 0;  // replies that wait for an earlier one
    UpstreamConnection* crowded_ = nullptr;  // it waits for the queue of this one
    // The one of the protocol, which never changes once it is known (redis_, dialect_): there is a
    // session for every idle client.
    union {
        proto::redis::RequestParser redis_parser_;
        proto::memcached::RequestParser memcached_parser_;
        proto::memcached::BinaryRequestParser binary_parser_;
    };
};

// Gives a request back to its slab once it has left its client and its servers: answer.h.
void release_request(Memory& memory, Request* request) noexcept;
void release_split(Request& request) noexcept;

}  // namespace ringmaster::worker
