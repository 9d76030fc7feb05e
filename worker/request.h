// SPDX-License-Identifier: Apache-2.0
// A request between its client and its server(s).
//
// Ownership: a Request belongs to its client session's ordered queue. Each Fragment belongs to its
// Request and stands in exactly one upstream connection's FIFO from the moment its bytes are queued
// there until its reply has come (or the connection failed). If the session goes first, the request
// is abandoned (client == null) and freed when its last fragment comes home.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/chunk.h"
#include "common/proto/redis/commands.h"

namespace ringmaster::worker {

class ClientSession;
struct Request;

// A whole reply that waits for its turn. `chunk` keeps the bytes; null for static storage.
struct StoredReply {
    base::ChunkRef chunk;
    const char* data = nullptr;
    size_t size = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {data, size}; }
};

inline constexpr uint64_t kNoDeadline = UINT64_MAX;

struct Fragment {
    Fragment* fifo_next = nullptr;
    Request* request = nullptr;
    StoredReply reply;
    uint64_t deadline_ms = kNoDeadline;  // active time
    uint32_t request_bytes = 0;          // for the queue gauges; capped
    uint32_t index = 0;                  // among the fragments of its request
    bool parked = false;                 // its reply is counted in its client's parked bytes
    bool expired = false;  // the client clock ran out: its reply is swallowed when it comes
};

// What a split request remembers. Lies in a chunk together with its fragments and key map.
struct SplitState {
    base::ChunkRef memory;  // holds this very object
    std::span<Fragment> fragments;
    std::span<uint32_t> fragment_of_key;
    proto::redis::JoinPolicy join = proto::redis::JoinPolicy::kFirst;
};

struct Request {
    Request* next = nullptr;          // of the same client, in order
    ClientSession* client = nullptr;  // null: abandoned
    SplitState* split = nullptr;      // null: the one fragment below
    uint32_t at_servers = 0;          // fragments in a FIFO: the request may not be freed before
    uint32_t unanswered = 0;          // fragments without a reply or an error yet; 0 = may leave
    // Bits of one byte, so that plain() is one test.
    bool streaming : 1 = false;    // its reply has begun to leave while it still arrives
    bool silent : 1 = false;       // noreply: the reply is dropped
    bool handshake : 1 = false;    // the proxy's own (AUTH, SELECT): no client
    bool quiet_get : 1 = false;    // mg with q: a miss is dropped
    bool fenced : 1 = false;       // memcached::Quiet::kFenced
    bool meta_set : 1 = false;     // ms: its data block follows, whatever the server makes of it
    bool raw_key : 1 = false;      // its reply may hold line ends: DataPath::raw_keys
    bool proxy_error : 1 = false;  // a fragment failed here, not at its server
    // memcached's binary protocol: of the client's request, and of its reply.
    uint8_t opcode = 0;
    uint32_t opaque = 0;
    Fragment fragment;

    // One fragment of a client's request whose reply is passed on as it is.
    [[nodiscard]] bool plain() const noexcept {
        return split == nullptr && !streaming && !silent && !handshake && !quiet_get && !fenced &&
               !meta_set && !raw_key;
    }
};

}  // namespace ringmaster::worker
