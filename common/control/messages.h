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

inline constexpr uint32_t kSchema = 2;

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

// A worker's view of one pool, for the master's judgement (common/health/types.h, PoolBeat).
struct PoolHealth {
    uint64_t epoch = 0;
    bool in_fallback = false;
    std::vector<uint64_t> last_success_ms;  // by shard; empty for a pool that ejects nothing

    bool operator==(const PoolHealth&) const = default;
};

// Every 100 ms: I am alive.
struct Beat {
    uint64_t generation = 0;  // of `pools`
    uint32_t client_connections = 0;
    uint32_t lag_ms = 0;  // the longest turn of the loop since the last beat
    std::vector<PoolHealth> pools;

    bool operator==(const Beat&) const = default;
};

// A server of this pool has failed server_failure_limit times in a row; answered by RingState. The
// times are CLOCK_MONOTONIC. The name survives a reload that happens meanwhile.
struct Suspect {
    uint64_t generation = 0;
    uint32_t pool = 0;
    std::string server;
    uint64_t epoch = 0;
    uint32_t cause = 0;  // an errno, 0 = the server closed the connection
    uint64_t first_failure_ms = 0;
    uint64_t sent_ms = 0;

    bool operator==(const Suspect&) const = default;
};

// The outcome of Prepare. An empty reason: everything of this generation stands ready, and Commit
// will not fail.
struct Prepared {
    uint64_t generation = 0;
    std::string reason;

    bool operator==(const Prepared&) const = default;
};

// New requests go by this generation now.
struct Committed {
    uint64_t generation = 0;
    // Of each pool: admitted clients that hold a place of client_connections. Takes the place of
    // all ClientAsk and ClientGone this worker has sent before.
    std::vector<uint32_t> held;

    bool operator==(const Committed&) const = default;
};

// All counters and gauges of the worker, at this moment.
struct StatsReport {
    uint64_t request_id = 0;  // 0 = unasked
    uint64_t generation = 0;  // gives `values` their shape
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

// A listening socket and the pool its clients belong to.
struct ListenerUse {
    uint32_t listener = 0;  // the master's number of this very socket; never used again
    uint32_t pool = 0;

    bool operator==(const ListenerUse&) const = default;
};

// Listening sockets; as many descriptors travel with the message, in the same order (at most 32 a
// message; more messages for more). Before Start: those of the worker's slot. Of a generation that
// is being prepared: kept until its Commit. Of the current one: another slot's, to be accepted from
// at once until ReleaseListeners.
struct Listeners {
    uint64_t generation = 0;
    std::vector<ListenerUse> uses;

    bool operator==(const Listeners&) const = default;
};

// Accept no more from these and close them; what waits in their queues is somebody else's.
struct ReleaseListeners {
    std::vector<uint32_t> listeners;

    bool operator==(const ReleaseListeners&) const = default;
};

// What the master says of one server (common/health/types.h, ServerVerdict), and where it is.
struct RingServerState {
    uint32_t verdict = 0;           // health::Verdict
    uint32_t cause = 0;             // an errno, 0 = it closed the connection
    uint64_t probing_until_ms = 0;  // CLOCK_MONOTONIC
    std::string address;            // io::SocketAddress::bytes(); empty = does not resolve

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

// This server is well: what goes wrong is the connections, renew them.
struct Reconnect {
    uint64_t generation = 0;
    uint32_t pool = 0;
    std::string server;

    bool operator==(const Reconnect&) const = default;
};

// A reload: build this generation beside the current one and answer Prepared. A later Prepare
// replaces an earlier one.
struct Prepare {
    uint64_t generation = 0;
    uint64_t memory_bytes = 0;
    std::string file_name;  // for messages only
    std::string bytes;

    bool operator==(const Prepare&) const = default;
};

// Switch to the prepared generation, or, for the current one, change only what is said beside it.
struct Commit {
    uint64_t generation = 0;
    // Every listener this worker accepts from now on; what it has beyond them is emptied and
    // closed.
    std::vector<ListenerUse> uses;
    // Of the latter, those that nobody accepts from any more: shut down as soon as they are empty,
    // so that no client waits in a queue that goes.
    std::vector<uint32_t> removed;
    std::vector<RingState> rings;  // of every pool
    // What the former generation has not finished then is failed, its last clients are closed.
    uint32_t drain_timeout_ms = 0;
    // The slot is not wanted any more: the worker ends with its last client.
    bool surplus = false;

    bool operator==(const Commit&) const = default;
};

// Forget the generation that is being prepared.
struct Abort {
    uint64_t generation = 0;

    bool operator==(const Abort&) const = default;
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

// With one descriptor: the log file as the master has opened it, to write to from now on. Workers
// open no files; they may have no right to.
struct LogReopen {
    bool operator==(const LogReopen&) const = default;
};

// Stop serving. graceful: take what is queued, answer AcceptStopped, answer what is in flight,
// exit. drain, beside it: serve the clients that are there until they leave; at the timeout as
// without it. Neither: exit at once.
struct Stop {
    bool graceful = true;
    bool drain = false;
    uint32_t timeout_ms = 0;

    bool operator==(const Stop&) const = default;
};

}  // namespace ringmaster::control
