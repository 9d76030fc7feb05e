// SPDX-License-Identifier: Apache-2.0
// floor redis|memcached PORT SERVER_PORT...
//
// The least a sharding proxy does: find the end of each message, pick a server by the key, copy,
// keep the replies in order, write once per connection and turn of the loop. No statistics, time
// limits, split commands or memory limits.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "tests/bench/floor/messages.h"

namespace bench {
namespace {

struct Connection;

struct Request {  // in the queue of its client and in that of its server
    Connection* client = nullptr;
    Request *next_of_client = nullptr, *next_of_server = nullptr;
    bool is_done = false;
    std::string reply = {};  // kept while an earlier one is missing
};

struct Connection {
    uv_tcp_t tcp = {};
    uv_write_t write = {};
    std::string in, out, leaving;  // a cut message; what the next flush writes; what uv_write has
    Request *first = nullptr, *last = nullptr;
    bool is_client = false, is_dirty = false, is_open = true;
};

std::vector<Connection*> servers, dirty;
std::vector<Request*> unused;
bool is_redis;
char chunk[1 << 16];

void append(Connection* to, std::string_view data) {
    to->out.append(data);
    if (!to->is_dirty && to->is_open) {
        to->is_dirty = true;
        dirty.push_back(to);
    }
}

void take_request(Connection* client, std::string_view message, std::string_view key) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : key)
        hash = (hash ^ std::uint8_t(byte)) * 0x100000001b3;
    Connection* server = servers[std::uint32_t(hash >> 16) % std::uint32_t(servers.size())];
    if (unused.empty())
        unused.push_back(new Request);
    Request* request = unused.back();
    unused.pop_back();
    request->client = client;
    request->next_of_client = request->next_of_server = nullptr;
    request->is_done = false;
    (client->first ? client->last->next_of_client : client->first) = request;
    (server->first ? server->last->next_of_server : server->first) = request;
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
        if (request == nullptr || !request->is_done)
            return;
        append(client, request->reply);
    }
}

void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* /*buffer*/) {
    auto* from = static_cast<Connection*>(stream->data);
    if (size < 0) {
        if (!from->is_client)
            std::exit(1);
        from->is_open = false;  // kept for ever: requests may still point to it
        uv_close(reinterpret_cast<uv_handle_t*>(stream), nullptr);
    }
    if (size <= 0)
        return;
    const bool was_cut = !from->in.empty();
    if (was_cut)
        from->in.append(chunk, std::size_t(size));
    const char* at = was_cut ? from->in.data() : chunk;
    const char* const end = at + (was_cut ? from->in.size() : std::size_t(size));
    std::string_view key;
    while (const char* next =
               is_redis ? redis_end(at, end, key) : memcached_end(at, end, key, !from->is_client)) {
        const std::string_view message(at, std::size_t(next - at));
        from->is_client ? take_request(from, message, key) : take_reply(from, message);
        at = next;
    }
    if (was_cut) {
        from->in.erase(0, std::size_t(at - from->in.data()));
    } else if (at != end) {
        from->in.assign(at, end);
    }
}

void flush(uv_prepare_t* /*prepare*/) {
    for (Connection* to : dirty) {
        to->is_dirty = false;
        if (!to->is_open || !to->leaving.empty())
            continue;
        auto* stream = reinterpret_cast<uv_stream_t*>(&to->tcp);
        uv_buf_t all = uv_buf_init(to->out.data(), unsigned(to->out.size()));
        const int sent = uv_try_write(stream, &all, 1);
        if (sent < int(all.len)) {
            to->leaving.assign(to->out, std::size_t(sent > 0 ? sent : 0));
            all = uv_buf_init(to->leaving.data(), unsigned(to->leaving.size()));
            uv_write(&to->write, stream, &all, 1, [](uv_write_t* write, int /*status*/) {
                auto* written = static_cast<Connection*>(write->handle->data);
                written->leaving.clear();
                append(written, {});  // what came meanwhile
            });
        }
        to->out.clear();
    }
    dirty.clear();
}

Connection* make(bool is_client) {
    auto* made = new Connection;
    made->is_client = is_client;
    uv_tcp_init(uv_default_loop(), &made->tcp);
    made->tcp.data = made;
    return made;
}

void start(Connection* connection) {
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&connection->tcp),
        [](uv_handle_t*, std::size_t, uv_buf_t* into) { *into = uv_buf_init(chunk, sizeof chunk); },
        on_read);
}

sockaddr_in loopback(const char* port) {
    sockaddr_in address = {};
    uv_ip4_addr("127.0.0.1", std::atoi(port), &address);
    return address;
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    using namespace bench;
    if (count < 4)
        return 2;
    is_redis = *words[1] == 'r';
    for (int index = 3; index < count; ++index) {
        const sockaddr_in address = loopback(words[index]);
        servers.push_back(make(false));
        uv_tcp_connect(new uv_connect_t, &servers.back()->tcp,
                       reinterpret_cast<const sockaddr*>(&address), [](uv_connect_t* it, int bad) {
                           if (bad != 0)
                               std::exit(1);
                           start(static_cast<Connection*>(it->handle->data));
                       });
    }
    const sockaddr_in address = loopback(words[2]);
    uv_tcp_t listener;
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
    const int bad = uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 1024,
                              [](uv_stream_t* from, int /*status*/) {
                                  Connection* client = make(true);
                                  uv_accept(from, reinterpret_cast<uv_stream_t*>(&client->tcp));
                                  start(client);
                              });
    uv_prepare_t prepare;
    uv_prepare_init(uv_default_loop(), &prepare);
    uv_prepare_start(&prepare, flush);
    return bad != 0 ? 1 : uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
