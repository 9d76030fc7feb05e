// SPDX-License-Identifier: Apache-2.0
// What all client sessions and upstream connections of one worker share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/rng.h"
#include "common/base/ticks.h"
#include "common/health/ejector.h"
#include "common/io/loop.h"
#include "common/proto/memcached/joiner.h"
#include "common/proto/memcached/splitter.h"
#include "common/proto/redis/joiner.h"
#include "common/proto/redis/request_parser.h"
#include "common/proto/redis/splitter.h"
#include "worker/client_ids.h"
#include "worker/flush_queue.h"
#include "worker/input_buffer.h"
#include "worker/memory.h"
#include "worker/raw_keys.h"

namespace ringmaster::worker {

class ConnectionGroup;
class Pool;
struct Request;

struct PoolTag {};
struct WatchedTag {};
struct WaitingTag {};
struct HeldTag {};
struct BusyTag {};

std::string make_run_id(base::Rng& rng);  // redis_info.cc

struct DataPath {
    DataPath(io::Loop& the_loop, Memory& the_memory, uint64_t seed, uint32_t the_slot)
        : loop(the_loop), memory(the_memory), rng(seed), slot(the_slot), client_ids(the_slot) {}

    io::Loop& loop;
    const uint64_t started_ms = loop.now_ms();
    Memory& memory;
    base::Rng rng;
    const uint32_t slot;  // this worker's number
    ClientIds client_ids;
    const std::string run_id = make_run_id(rng);  // 40 hexadecimal digits, of this process
    HotChunk hot;
    FlushQueue flush;
    // This turn of the loop: it only grows, and tells the time (turn_ms) at which it began.
    uint64_t turn = 0;
    void begin_turn() noexcept { turn = std::max(turn + 1, loop.now_ms() << kTurnsPerMsLog2); }
    static uint64_t turn_ms(uint64_t turn) noexcept { return turn >> kTurnsPerMsLog2; }
    static constexpr unsigned kTurnsPerMsLog2 = 16;
    // loop.active_ms() and now_ms() when the bytes came that are being handled: set_event_time().
    uint64_t event_ms = loop.active_ms();
    uint64_t event_now_ms = loop.now_ms();

    // Clients that CLIENT LIST and KILL have looked at in a turn.
    uint64_t looked_turn = 0;
    uint64_t looked_at = 0;

    // Sessions that are closed but may still be on the call stack: freed before the next poll. They
    // have left their pool's list, and its link serves for this one.
    base::IntrusiveList<ClientSession, PoolTag> closed;
    // Sessions that judge() looks at now and then: not read, or slow, or in the middle of a body.
    base::IntrusiveList<ClientSession, WatchedTag> watched;
    // Sessions that go on parsing when this turn ends: ClientSession::on_wait_over().
    std::vector<ClientSession*> resumed;
    // Connections that are not read because the client of their next reply lags.
    base::IntrusiveList<UpstreamConnection, HeldTag> held;
    // Groups with more connections than usual for that.
    std::vector<ConnectionGroup*> diverting;

    // What clients had done since the last read of one of them that leaves no request behind, and
    // the keys of split requests: a client's turn is measured in both.
    uint32_t other_work = 0;
    // Fragments in any upstream FIFO: while there are some, deadlines are checked.
    uint64_t fragments_in_flight = 0;
    // The connections that have some, whatever group, pool or generation they belong to, and those
    // that have had some since the last check, which drops them: UpstreamConnection::check_all().
    base::IntrusiveList<UpstreamConnection, BusyTag> busy;
    int64_t total_connections = 0;
    int64_t curr_connections = 0;
    // Until then (active time) a client that asks for much is not the only one that asks.
    uint64_t shared_until_ms = 0;
    // No new clients, no new requests: every session ends when its last reply is out.
    bool stopping = false;

    // Requests are held back for larger writes while a server has so many to answer: limits.h.
    uint32_t hold_back_from = kNoHoldBack;

    RawKeys raw_keys{memory};

    // An ejector of some pool has a deadline: the worker's health timer must run.
    bool health_has_deadline = false;
    // Accuses a server of a pool to the master.
    std::function<void(const Pool& pool, const health::EjectorAction& suspect)> suspect;
    // Reads what the master has said meanwhile.
    std::function<void()> catch_up;
    uint64_t last_turn_ms = coarse_now_ms();

    // Bytes of some connection have come. The time is the same for all requests among them.
    void set_event_time() noexcept {
        const uint64_t now_ms = loop.now_ms();
        if (now_ms != event_now_ms) {  // active time stands still while the time does
            event_now_ms = now_ms;
            event_ms = loop.active_ms();
        }
    }

    // Before a client's bytes are read: a process that was stopped may hold an old placement, and
    // the master's newer one lies unread in the channel. The clock is read only when the tick
    // counter has moved on by more than a few milliseconds, or backwards.
    void catch_up_before_read() {
        const uint64_t now = base::ticks();
        if (now - last_ticks > base::kTicksOfAFewMs) [[unlikely]] {
            last_ticks = now;
            catch_up_after_stall();
        }
    }
    uint64_t last_ticks = 0;
    [[gnu::noinline]] void catch_up_after_stall() {
        const uint64_t now_ms = coarse_now_ms();
        if (now_ms - std::exchange(last_turn_ms, now_ms) > health::kFallbackMs) {
            catch_up();
        }
    }
    // The machine's clock, which may be set.
    static uint64_t unix_us() noexcept {
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        return static_cast<uint64_t>(now.tv_sec) * 1000000 +
               static_cast<uint64_t>(now.tv_nsec) / 1000;
    }
    // The kernel's tick, some ms old: a few instructions instead of a clock read.
    static uint64_t coarse_now_ms() noexcept {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return static_cast<uint64_t>(now.tv_sec) * 1000 +
               static_cast<uint64_t>(now.tv_nsec) / 1000000;
    }
    [[nodiscard]] health::Now health_now() const noexcept {
        return {.active_ms = loop.active_ms(), .shared_ms = loop.now_ms()};
    }

    // Tells the master that a server's address may be stale.
    std::function<void(const Pool& pool, uint32_t shard)> connect_failed;
    // Pools with client_connections: asks the master for a place, and gives one back.
    std::function<void(const Pool& pool)> ask_for_place;
    std::function<void(const Pool& pool)> give_place_back;

    // The request that is being handled: filling in a fresh one costs as much as finding its end.
    proto::redis::RequestView redis_request;

    // Scratch that keeps its capacity.
    proto::redis::Splitter redis_splitter;
    proto::redis::Joiner redis_joiner;
    proto::memcached::Splitter memcached_splitter;
    proto::memcached::Joiner memcached_joiner;
    std::vector<std::string_view> join_replies;
    std::vector<size_t> join_cursors;
};

}  // namespace ringmaster::worker
