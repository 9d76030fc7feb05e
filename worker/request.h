// SPDX-License-Identifier: Apache-2.0
// A request between its client and its server(s).
//
// Ownership: a Request belongs to its client session's ordered queue. Each Fragment belongs to its
// Request and stands in exactly one upstream connection's FIFO from the moment its bytes are queued
// there until its reply has come (or the connection failed). If the session goes first, the request
// is abandoned (client == null) and freed when its last fragment comes home.
#pragma once

#include <bit>
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

// What is special about a request. A byte of its own, so that one test tells that nothing is: g++
// tests bits of a larger struct one by one.
struct RequestMarks {
    bool streaming : 1 = false;    // its reply has begun to leave while it still arrives
    bool silent : 1 = false;       // noreply: the reply is dropped
    bool handshake : 1 = false;    // the proxy's own (AUTH, SELECT): no client
    bool quiet_get : 1 = false;    // mg with q: a miss is dropped
    bool fenced : 1 = false;       // memcached::Quiet::kFenced
    bool meta_set : 1 = false;     // ms: its data block follows, whatever the server makes of it
    bool raw_key : 1 = false;      // its reply may hold line ends: DataPath::raw_keys
    bool proxy_error : 1 = false;  // a fragment failed here, not at its server
};

struct Request : RequestMarks {
    // memcached's binary protocol: of the client's request, and of its reply.
    uint8_t opcode = 0;
    uint32_t opaque = 0;
    Request* next = nullptr;          // of the same client, in order
    ClientSession* client = nullptr;  // null: abandoned
    SplitState* split = nullptr;      // null: the one fragment below
    uint32_t at_servers = 0;          // fragments in a FIFO: the request may not be freed before
    uint32_t unanswered = 0;          // fragments without a reply or an error yet; 0 = may leave
    Fragment fragment;

    // Where its reply ends is a matter of what was asked.
    [[nodiscard]] bool has_odd_end() const noexcept {
        RequestMarks odd;
        odd.fenced = true;
        odd.raw_key = true;
        const RequestMarks& marks = *this;
        return (std::bit_cast<uint8_t>(marks) & std::bit_cast<uint8_t>(odd)) != 0;
    }
    // One fragment of a client's request whose reply is passed on as it is.
    [[nodiscard]] bool plain() const noexcept {
        RequestMarks marks = *this;
        marks.proxy_error = false;
        return split == nullptr && std::bit_cast<uint8_t>(marks) == 0;
    }
};

}  // namespace ringmaster::worker
