// SPDX-License-Identifier: Apache-2.0
// Everything master and worker say to each other, as plain structs.
//
// PROTOCOL.md tells the conversation; messages.def lists the messages; codec.h turns them into
// bytes and back. Both sides are the same binary (a worker is /proc/self/exe), the schema number
// guards against mistakes all the same. The master trusts nothing a worker says: it parses hostile
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringmaster::control {

inline constexpr uint32_t kSchema = 1;

// ---- worker to master ----

// First message of a worker.
struct Hello {
    uint32_t schema = kSchema;
    uint32_t slot = 0;
    uint32_t pid = 0;

    bool operator==(const Hello&) const = default;
};

// The worker has built every pool of this generation and accepts.
struct Ready {
    uint64_t generation = 0;

    bool operator==(const Ready&) const = default;
};

// The worker cannot serve; it exits after this.
struct Failed {
    std::string reason;

    bool operator==(const Failed&) const = default;
};

// Every 100 ms: I am alive.
struct Beat {
    uint32_t client_connections = 0;
    std::vector<uint64_t> epochs;  // of each pool, in pool order

    bool operator==(const Beat&) const = default;
};

// All counters and gauges of the worker, at this moment.
struct StatsReport {
    uint64_t request_id = 0;  // 0 = unasked
    int64_t total_connections = 0;
    int64_t curr_connections = 0;
    // pools x (pool stats..., then servers x server stats...), in pool and shard order; the
    // receiver checks the count against its config.
    std::vector<int64_t> values;

    bool operator==(const StatsReport&) const = default;
};

// Connecting to a server failed: its name may have a new address.
struct ConnectFailed {
    uint32_t pool = 0;
    uint32_t shard = 0;

    bool operator==(const ConnectFailed&) const = default;
};

// Everything in the accept queues has been taken; the listeners may be shut.
struct AcceptStopped {
    bool operator==(const AcceptStopped&) const = default;
};

// A new client of a pool with client_connections wants in: may it? Answered by ClientAnswer, in
// order.
struct ClientAsk {
    uint32_t pool = 0;
    bool operator==(const ClientAsk&) const = default;
};

// That many admitted clients of the pool have left.
struct ClientGone {
    uint32_t pool = 0;
    uint32_t count = 0;
    bool operator==(const ClientGone&) const = default;
};

// ---- master to worker ----

// To the oldest unanswered ClientAsk for this pool.
struct ClientAnswer {
    uint32_t pool = 0;
    bool granted = false;
    bool operator==(const ClientAnswer&) const = default;
};

// The config as its bytes; the worker loads it by the same code.
struct ConfigBytes {
    uint64_t generation = 0;
    uint64_t memory_bytes = 0;  // this worker's share of max_memory; 0 = decide yourself
    std::string file_name;      // for messages only
    std::string bytes;

    bool operator==(const ConfigBytes&) const = default;
};

// The listeners of this worker's slot, by pool index; as many descriptors travel with the message,
// in the same order (at most 32 a message; more messages for more).
struct Listeners {
    std::vector<uint32_t> pools;

    bool operator==(const Listeners&) const = default;
};

struct RingServerState {
    bool live = true;
    std::string address;  // io::SocketAddress::bytes(); empty = does not resolve

    bool operator==(const RingServerState&) const = default;
};

// The whole placement state of one pool (state, never a delta).
struct RingState {
    uint64_t generation = 0;
    uint32_t pool = 0;
    uint64_t epoch = 0;
    std::vector<RingServerState> servers;  // in shard order

    bool operator==(const RingState&) const = default;
};

// All is there: build, accept, answer Ready.
struct Start {
    bool operator==(const Start&) const = default;
};

struct StatsRequest {
    uint64_t request_id = 0;

    bool operator==(const StatsRequest&) const = default;
};

struct LogLevel {
    uint32_t level = 5;

    bool operator==(const LogLevel&) const = default;
};

struct LogReopen {
    bool operator==(const LogReopen&) const = default;
};

// Stop serving. graceful: take what is queued, answer AcceptStopped, answer what is in flight,
// exit. Otherwise exit at once.
struct Stop {
    bool graceful = true;
    uint32_t timeout_ms = 0;

    bool operator==(const Stop&) const = default;
};

}  // namespace ringmaster::control
