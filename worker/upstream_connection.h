// SPDX-License-Identifier: Apache-2.0
// One connection to a server: a FIFO of fragments that wait for their replies.
//
// A fragment takes its place in the FIFO before its first byte is sent; replies belong to the
// oldest. Any parse error, stray byte, timeout or end of the connection fails everything it
// carried, and nothing is ever sent again: the next request opens a new connection. Two clocks,
// both in active time. Health: `timeout` without any progress while something is outstanding ends
// the connection. Client: `timeout` since a request was queued answers that request with the error;
// its slot stays and swallows the late reply. Source: design of nutcracker's `timeout`, with the
// two clocks told apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/io/stream.h"
#include "common/proto/memcached/binary_reply_parser.h"
#include "common/proto/memcached/reply_parser.h"
#include "common/proto/redis/reply_parser.h"
#include "worker/data_path.h"
#include "worker/dialect.h"
#include "worker/flush_queue.h"
#include "worker/order_ties.h"
#include "worker/out_queue.h"
#include "worker/request.h"
#include "worker/resp3_support.h"

namespace ringmaster::worker {

class ConnectionGroup;
class Server;

class UpstreamConnection : public io::StreamHandler,
                           public FlushLink,
                           public base::ListLink<HeldTag>,
                           public base::ListLink<BusyTag> {
  public:
    UpstreamConnection(DataPath& path, ConnectionGroup& group);
    ~UpstreamConnection() override;

    [[nodiscard]] bool is_open() const noexcept { return stream_.is_open(); }
    [[nodiscard]] bool is_connected() const noexcept { return connected_; }
    // Starts connecting and queues the handshake. 0 or an errno. Clients' bytes wait in out() until
    // the server has agreed to every part of it.
    int open();

    // Takes `fragment` into the FIFO; the caller then appends its bytes to out(). Requires
    // is_open().
    void enqueue(Fragment& fragment, size_t request_bytes) noexcept;  // forward.h
    OutQueue& out() noexcept { return out_; }

    void flush_now();
    // Judges both clocks of every connection of the worker that has something outstanding.
    static void check_all(DataPath& path, uint64_t now_ms);
    // Closes as soon as nothing is outstanding: the server lives elsewhere now.
    void retire();
    // A reload: the same server under another generation, the group of the same dialect. What is
    // outstanding keeps the deadlines it has; without any (timeout: 0) it gets `grace_ms` if there
    // are deadlines now.
    void rebind(ConnectionGroup& group, uint64_t grace_ms);
    // Fails everything outstanding with `error` and closes.
    void fail(int error) { fail_since(error, last_progress_ms_); }
    // The same, but it is the proxy that ends: not counted, and no word against the server.
    void end(int error);

    // ---- back-pressure: upstream_pressure.cc ----

    // Not read, because the client of the next reply lags.
    [[nodiscard]] bool is_held() const noexcept { return held_by_ != nullptr; }
    [[nodiscard]] bool is_held_by(const ClientSession& client) const noexcept {
        return held_by_ == &client;
    }
    void release();
    // Held now, or since the last forget_holds() but one: others had better take another one.
    [[nodiscard]] bool was_held_lately() const noexcept { return held_lately_ > 0; }
    void forget_holds() noexcept;
    // The server has not answered yet whether it speaks the dialect. False where nobody asks.
    [[nodiscard]] bool is_greeting() const noexcept { return greeting_; }
    // Nothing is outstanding.
    [[nodiscard]] bool is_idle() const noexcept { return head_ == nullptr; }
    // The clients of all that is outstanding are tied to this connection, and untied as it goes.
    void tie_all();
    // All ties are gone, or there is nothing outstanding: whether later ones are to be untied.
    void set_tied(bool tied) noexcept { tied_ = tied; }
    // So much waits to be sent that who adds to it shall wait until there is room again.
    [[nodiscard]] bool is_crowded() const noexcept { return out_.bytes() > kUpstreamBytes; }
    [[nodiscard]] bool has_room() const noexcept { return out_.bytes() <= kUpstreamResumeBytes; }
    void add_waiting(ClientSession& client);

    // Requests written and not yet answered, and requests not wholly written, with their bytes.
    struct QueueLengths {
        int64_t in_count = 0;
        int64_t in_bytes = 0;
        int64_t out_count = 0;
        int64_t out_bytes = 0;
    };
    [[nodiscard]] QueueLengths queue_lengths() const noexcept;
    [[nodiscard]] bool hangs() const noexcept;

    // io::StreamHandler
    std::span<char> on_alloc() noexcept override;
    void on_read(size_t size_bytes) noexcept override;
    void on_eof() noexcept override;
    void on_error(int error) noexcept override;
    void on_connected(int error) noexcept override;
    void on_drained() noexcept override;

  private:
    // ---- upstream_parser.cc ----
    // Which parser finds the end of a reply. A further dialect gets its own here, in the functions
    // that switch over it, and in the quick way of on_read().
    enum class ReplyFormat : uint8_t { kRedis, kMemcachedText, kMemcachedBinary };
    static ReplyFormat reply_format(bool redis, Dialect dialect) noexcept;
    proto::ParseStatus parse(const char* begin, size_t size) noexcept;
    [[nodiscard]] size_t parser_position() const noexcept;
    [[nodiscard]] size_t parser_needed() const noexcept;
    void parser_rebase(size_t bytes) noexcept;
    void parser_reset() noexcept;

    [[nodiscard]] bool should_hold_back() const noexcept;
    void queue_handshake();
    void queue_own(const std::string& bytes);
    void push(Fragment& fragment) noexcept;
    void note_busy() noexcept;
    Fragment* pop();
    // A whole reply, or its last part when it has been streaming.
    void deliver(const Window& window, const char* data, size_t size);
    void deliver_plain(const Window& window, const char* data, size_t size);
    void deliver_other(const Window& window, const char* data, size_t size);
    // ---- upstream_meta.cc ----
    size_t whole_meta_reply_bytes(const char* begin, size_t size) noexcept;
    static bool may_answer_often(const Request& request, std::string_view reply) noexcept;
    static size_t bytes_kept_quiet(Request& request, std::string_view reply) noexcept;
    void finish_handshake(Request* request, std::string_view reply);
    void finish_greeting(std::string_view reply);
    [[nodiscard]] bool is_push(const char* at) const noexcept;
    void drop_push_part(Window& window, const char* data, size_t size);
    void tell_resp3(Resp3Answer answer);
    // Fails everything outstanding with the server's own error line and closes.
    void fail_refused(std::string_view reply);
    void fail_all(std::string_view line);
    // `attempt_began_ms`: for health, when what has failed now was begun (active time).
    void fail_since(int error, uint64_t attempt_began_ms);
    // The reply at the head is long and still arriving: passes on what may leave now. Returns the
    // bytes taken.
    size_t stream_part(const Window& window, const char* data, size_t size);
    // ---- upstream_binary.cc ----
    bool take_binary_reply(const Window& window, const char* data, size_t size);
    void fail_without_binary();
    // ----
    void expire(Fragment& fragment, int error);
    void expire(Fragment& fragment, std::string_view line);
    void expire_as_sibling(Fragment& fragment);
    void judge_lag();
    void wake_waiting();
    void wake_all_waiting();
    void untie(const Fragment& fragment);
    void keep_rest(Window& window, const char* rest, size_t size);
    static uint64_t fragments_of_busy(DataPath& path) noexcept;
    void check_deadlines(uint64_t now_ms);
    void expire_overdue(uint64_t now_ms);
    [[nodiscard]] uint64_t health_timeout_ms() const noexcept;
    void close_stream();

    DataPath& path_;
    // Both change with a reload, are never null, and belong together.
    ConnectionGroup* group_;
    Server* server_;
    io::Stream stream_;
    OutQueue out_;
    OutQueue handshake_out_;
    InputBuffer input_;
    proto::redis::ReplyParser redis_parser_;
    proto::memcached::ReplyParser memcached_parser_;
    proto::memcached::BinaryReplyParser binary_parser_;
    Fragment* head_ = nullptr;
    Fragment* tail_ = nullptr;
    Fragment* first_unexpired_ = nullptr;
    uint64_t held_since_ms_ = 0;        // active time
    ClientSession* held_by_ = nullptr;  // is_held(): open, and so is the connection
    base::IntrusiveList<ClientSession, WaitingTag> waiting_;  // for has_room()
    size_t streamed_bytes_ = 0;  // of the head's reply, while streaming_
    uint64_t last_progress_ms_ = 0;
    uint64_t attempt_floor_ms_ = 0;  // Ejector's, at open()
    size_t last_bytes_queued_ = 0;
    uint64_t read_turn_ = 0;
    size_t read_this_turn_ = 0;
    // Of the oldest requests, so many were queued before a reload: while they last, the health
    // clock runs as long as it did then, if that is longer. 0 = it does not run.
    uint32_t inherited_left_ = 0;
    uint64_t inherited_timeout_ms_ = 0;
    uint32_t handshake_left_ = 0;  // replies to AUTH and SELECT that have not come yet
    uint32_t fifo_count_ = 0;
    uint32_t unsent_count_ = 0;  // of these, queued since the last flush
    ReplyFormat format_;         // a reload never changes it
    bool connected_ = false;
    bool replied_ = false;        // bytes came since the last flush
    bool streaming_ : 1 = false;  // part of the head's reply has been passed on or dropped
    bool retiring_ : 1 = false;
    bool tied_ : 1 = false;    // the group has ties of the clients of all that is outstanding
    uint8_t held_lately_ = 0;  // so many calls of forget_holds() until the last hold is forgotten
    bool greeting_ = false;    // HELLO 3 is queued or sent, and not answered
};

}  // namespace ringmaster::worker
