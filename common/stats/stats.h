// SPDX-License-Identifier: Apache-2.0
// The one list of stats, counting them, and merging what several workers counted.
//
// Pure. stats.def has one row a stat; enumerators, JSON, --describe-stats and the man page follow.
// Numbers are signed 64-bit, as nutcracker's; sums stop at the ends of that range instead of
// overflowing, as a worker's numbers are not trusted.
// A worker adds to plain integers (no locks, no atomics: one thread) and reports snapshots; the
// master merges the latest of every living worker with the totals of dead ones, so no counter
// ever goes down.
// Source: nutcracker's stats document (names, order, layout).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::stats {

enum class Kind : uint8_t {
    kCounter,    // only grows; summed over workers, dead ones included
    kGauge,      // a level; summed over living workers
    kHighest,    // a level of one thing that every living worker has; the highest
    kTimestamp,  // microseconds since the epoch, 0 = never; the latest wins
};

enum class PoolStat : uint16_t {
#define RM_POOL_STAT(enumerator, name, kind, text) enumerator,
#define RM_POOL_STAT_OWN(enumerator, name, kind, text) enumerator,
#define RM_SERVER_STAT(enumerator, name, kind, text)
#include "common/stats/stats.def"
#undef RM_POOL_STAT
#undef RM_POOL_STAT_OWN
#undef RM_SERVER_STAT
    kCount_,
};

enum class ServerStat : uint16_t {
#define RM_POOL_STAT(enumerator, name, kind, text)
#define RM_POOL_STAT_OWN(enumerator, name, kind, text)
#define RM_SERVER_STAT(enumerator, name, kind, text) enumerator,
#include "common/stats/stats.def"
#undef RM_POOL_STAT
#undef RM_POOL_STAT_OWN
#undef RM_SERVER_STAT
    kCount_,
};

inline constexpr size_t kPoolStatCount = static_cast<size_t>(PoolStat::kCount_);
inline constexpr size_t kServerStatCount = static_cast<size_t>(ServerStat::kCount_);

// A row of stats.def.
struct StatInfo {
    std::string_view name;
    Kind kind;
    std::string_view text;
    bool in_document = true;  // one of nutcracker's
};
// In the order of the enumerators, which is the document's.
std::span<const StatInfo, kPoolStatCount> pool_stats() noexcept;
std::span<const StatInfo, kServerStatCount> server_stats() noexcept;

// Counters of one pool or one server.
template <class Stat, size_t kCount>
struct Counters {
    std::array<int64_t, kCount> values{};

    void add(Stat stat, int64_t amount = 1) noexcept {
        values[static_cast<size_t>(stat)] += amount;
    }
    void set(Stat stat, int64_t value) noexcept { values[static_cast<size_t>(stat)] = value; }
    [[nodiscard]] int64_t get(Stat stat) const noexcept {
        return values[static_cast<size_t>(stat)];
    }
};
using PoolCounters = Counters<PoolStat, kPoolStatCount>;
using ServerCounters = Counters<ServerStat, kServerStatCount>;

// Everything of one worker, or of several merged.
struct PoolSnapshot {
    PoolCounters pool;
    std::vector<ServerCounters> servers;
};
struct Snapshot {
    int64_t total_connections = 0;
    int64_t curr_connections = 0;
    std::vector<PoolSnapshot> pools;
};

// servers_per_pool gives the shape; all zero.
Snapshot make_snapshot(std::span<const size_t> servers_per_pool);

// False, and nothing is changed, when the shapes differ (e.g. a worker of an older generation).
bool merge(Snapshot& into, const Snapshot& from);
// What stays of a worker that is gone: counters and timestamps, no gauges.
void drop_gauges(Snapshot& snapshot);

// What the numbers belong to.
struct PoolNames {
    std::string pool;
    std::vector<std::string> servers;  // effective names, in shard order

    bool operator==(const PoolNames&) const = default;
};

// The same numbers in the shape of another configuration: what keeps its name keeps its numbers,
// what is new has none. Requires: `from` has the shape of `snapshot`.
Snapshot reshape(const Snapshot& snapshot, std::span<const PoolNames> from,
                 std::span<const PoolNames> to);

// For the wire: the `values` of control::StatsReport; the two connection numbers travel beside
// them. unflatten() fills `shape`; it is false, and nothing is changed, when the count does not
// fit.
std::vector<int64_t> flatten(const Snapshot& snapshot);
bool unflatten(std::span<const int64_t> values, Snapshot& shape);

// ---- the document ----

struct Header {
    std::string service = "nutcracker";  // what dashboards look for; Compat: as nutcracker
    std::string source;                  // host name
    std::string version;
    int64_t uptime_s = 0;
    int64_t timestamp_s = 0;
};

// nutcracker's document: one line, its exact keys, order and spaces, a newline at the end.
// Compat: names are escaped, so that it is JSON whatever they hold; a byte that is not UTF-8
// becomes \u00XX. Requires: `names` has the shape of `snapshot`.
std::string to_json(const Header& header, std::span<const PoolNames> names,
                    const Snapshot& snapshot);

// The text of --describe-stats without the version block; layout as nutcracker -D.
std::string describe();

}  // namespace ringmaster::stats
