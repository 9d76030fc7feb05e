// SPDX-License-Identifier: Apache-2.0
// bench_floor redis|memcached PORT SERVER_PORT...
#include <cstdlib>

#include <uv.h>

#include "tests/bench/floor/relay.h"

namespace {

sockaddr_in loopback(const char* port) {
    sockaddr_in address = {};
    uv_ip4_addr("127.0.0.1", std::atoi(port), &address);
    return address;
}

void connect(uv_tcp_t* server, const char* port) {
    const sockaddr_in address = loopback(port);
    uv_tcp_connect(new uv_connect_t, server, reinterpret_cast<const sockaddr*>(&address),
                   [](uv_connect_t* request, int status) {
                       if (status != 0) {
                           std::exit(1);
                       }
                       bench::serve(reinterpret_cast<uv_tcp_t*>(request->handle));
                       delete request;
                   });
}

void accept(uv_stream_t* listener, int /*status*/) {
    uv_tcp_t* client = bench::add(listener->loop, true);
    uv_accept(listener, reinterpret_cast<uv_stream_t*>(client));
    bench::serve(client);
}

}  // namespace

int main(int count, char** words) {
    if (count < 4) {
        return 2;
    }
    uv_loop_t* loop = uv_default_loop();
    bench::is_redis = words[1][0] == 'r';
    for (int index = 3; index < count; ++index) {
        connect(bench::add(loop, false), words[index]);
    }
    const sockaddr_in address = loopback(words[2]);
    uv_tcp_t listener;
    uv_tcp_init(loop, &listener);
    uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
    if (uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 1024, accept) != 0) {
        return 1;
    }
    uv_prepare_t prepare;
    uv_prepare_init(loop, &prepare);
    uv_prepare_start(&prepare, bench::flush);
    return uv_run(loop, UV_RUN_DEFAULT);
}
