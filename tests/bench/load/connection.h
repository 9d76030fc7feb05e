// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <uv.h>

#include "tests/bench/load/protocol.h"
#include "tests/bench/load/reply_reader.h"

namespace bench {

class Connection;

// Whoever owns connections hears from them.
class ConnectionEvents {
  public:
    virtual void on_connected(Connection& connection) = 0;
    virtual void on_reply(const Request& request, std::uint64_t now_ns) = 0;
    // Every request that was queued is answered.
    virtual void on_drained(Connection& connection) = 0;
    virtual void on_failure(const std::string& what) = 0;

  protected:
    ~ConnectionEvents() = default;
};

// A client's connection: requests go out in order and replies are checked against them. Lives until
// the process ends; libuv's handle in it is never closed.
class Connection {
  public:
    Connection(uv_loop_t* loop, const Protocol& protocol, ConnectionEvents& events);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void connect(std::uint16_t port);
    void queue(Request request);
    // Sends what was queued since the last time.
    void flush();

  private:
    void on_bytes(std::string_view bytes);
    static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
    static void on_written(uv_write_t* write, int status);
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }

    const Protocol& protocol_;
    ConnectionEvents& events_;
    uv_tcp_t tcp_ = {};
    uv_connect_t connect_ = {};
    uv_write_t write_ = {};
    std::string out_;      // to be sent by flush()
    std::string leaving_;  // what libuv is sending
    std::vector<Request> requests_;
    std::size_t answered_ = 0;  // of requests_
    ReplyReader reader_;
};

}  // namespace bench
