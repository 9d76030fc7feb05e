// SPDX-License-Identifier: Apache-2.0
// The least a sharding proxy does: find the end of each message, pick a server by the key, copy,
// keep the replies in order, write once per connection and turn of the loop. No statistics, time
// limits, split commands or memory limits. Under 120 lines of code, to stay so: the yardstick.
#include "tests/bench/floor/relay.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/floor/messages.h"

// Short branches stay on one line.
// clang-format off
namespace bench {

bool is_redis = false;

namespace {

struct Request {  // in the queue of its client and in that of its server
    struct Connection* client = nullptr;
    Request *next_of_client = nullptr, *next_of_server = nullptr;
    bool is_done = false;
    std::string reply = {};  // kept while an earlier one is missing
};

struct Connection {
    uv_tcp_t tcp = {};
    uv_write_t write = {};
    std::string in = {}, out = {}, leaving = {};  // a cut message; for the next flush; uv_write's
    Request *first = nullptr, *last = nullptr;
    bool is_client = false, is_dirty = false, is_open = true;
};

std::vector<Connection*> servers, dirty;
std::vector<Request*> unused;
char chunk[1 << 16];

void append(Connection* to, std::string_view data) {
    to->out.append(data);
    if (!to->is_dirty && to->is_open) dirty.push_back(to);
    to->is_dirty = true;
}

void take_request(Connection* client, std::string_view message, std::string_view key) {
    Connection* server = servers[hash_of(key) % std::uint32_t(servers.size())];
    if (unused.empty()) unused.push_back(new Request);
    Request* request = unused.back();
    unused.pop_back();
    request->client = client;
    request->next_of_client = request->next_of_server = nullptr;
    request->is_done = false;
    (client->first != nullptr ? client->last->next_of_client : client->first) = request;
    (server->first != nullptr ? server->last->next_of_server : server->first) = request;
    client->last = server->last = request;
    append(server, message);
}

void take_reply(Connection* server, std::string_view message) {
    Request* request = server->first;
    Connection* client = request->client;
    server->first = request->next_of_server;
    request->is_done = true;
    if (client->first != request) {
        request->reply = message;
        return;
    }
    append(client, message);
    for (;;) {
        client->first = request->next_of_client;
        unused.push_back(request);
        request = client->first;
        if (request == nullptr || !request->is_done) return;
        append(client, request->reply);
    }
}

void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* /*buffer*/) {
    auto* from = static_cast<Connection*>(stream->data);
    if (size < 0) {
        if (!from->is_client) std::exit(1);
        from->is_open = false;  // kept for ever: requests may still point to it
        return uv_close(reinterpret_cast<uv_handle_t*>(stream), nullptr);
    }
    const bool was_cut = !from->in.empty();
    if (was_cut) from->in.append(chunk, std::size_t(size));
    const char* at = was_cut ? from->in.data() : chunk;
    const char* const end = at + (was_cut ? from->in.size() : std::size_t(size));
    std::string_view key;
    while (const char* next = is_redis ? redis_end(at, end, key)
                                       : memcached_end(at, end, key, !from->is_client)) {
        const std::string_view message(at, std::size_t(next - at));
        if (from->is_client) take_request(from, message, key);
        else take_reply(from, message);
        at = next;
    }
    if (was_cut) from->in.erase(0, std::size_t(at - from->in.data()));
    else if (at != end) from->in.assign(at, end);
}

}  // namespace

uv_tcp_t* add(uv_loop_t* loop, bool is_client) {
    auto* connection = new Connection;
    connection->is_client = is_client;
    if (!is_client) servers.push_back(connection);
    uv_tcp_init(loop, &connection->tcp);
    connection->tcp.data = connection;
    return &connection->tcp;
}

void serve(uv_tcp_t* tcp) {
    uv_tcp_nodelay(tcp, 1);
    auto give = [](uv_handle_t*, std::size_t, uv_buf_t* into) { *into = {chunk, sizeof chunk}; };
    uv_read_start(reinterpret_cast<uv_stream_t*>(tcp), give, on_read);
}

void flush(uv_prepare_t* /*prepare*/) {
    for (Connection* to : dirty) {
        to->is_dirty = false;
        if (!to->is_open || !to->leaving.empty()) continue;
        auto* stream = reinterpret_cast<uv_stream_t*>(&to->tcp);
        uv_buf_t all = uv_buf_init(to->out.data(), unsigned(to->out.size()));
        const int sent = std::max(uv_try_write(stream, &all, 1), 0);
        if (sent < int(all.len)) {
            to->leaving.assign(to->out, std::size_t(sent));
            all = uv_buf_init(to->leaving.data(), unsigned(to->leaving.size()));
            uv_write(&to->write, stream, &all, 1, [](uv_write_t* done, int /*status*/) {
                auto* connection = static_cast<Connection*>(done->handle->data);
                connection->leaving.clear();
                append(connection, {});  // what came meanwhile
            });
        }
        to->out.clear();
    }
    dirty.clear();
}

}  // namespace bench
