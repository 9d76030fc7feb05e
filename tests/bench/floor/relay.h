// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <uv.h>

namespace bench {

extern bool is_redis;  // else memcached

// A place for a connection, kept for ever. A server takes part in the sharding at once.
uv_tcp_t* add(uv_loop_t* loop, bool is_client);
// Serves a connection that is established.
void serve(uv_tcp_t* tcp);
// Writes what the turn has left to write: the callback of a prepare handle.
void flush(uv_prepare_t* prepare);

}  // namespace bench
