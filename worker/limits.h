// SPDX-License-Identifier: Apache-2.0
// Upper bounds of the data path, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmaster::worker {

// One read. Every connection of a worker reads into the same hot chunk of this size.
inline constexpr size_t kReadBytes = 64 << 10;
// An unfinished message of up to this size is stashed and copied in front of the next read; a
// larger one gets a buffer of its own, read straight into its place.
inline constexpr size_t kStashBytes = 4 << 10;
// A client's stash of more than this counts as a body: thousands of half-sent requests are as much
// as a large one.
inline constexpr size_t kUncountedStashBytes = 256;
// A buffer of its own is this much longer than the message, so that the read which completes it
// comes back short and libuv does not ask the kernel once more.
inline constexpr size_t kSlackBytes = 4 << 10;
// After a message of its own buffer that had between so many bytes, a connection reads into a chunk
// with room for another one: below, the copy costs little; above, what a read of the usual size
// copies is the lesser part, and each such chunk would be mapped and unmapped. Until a read is far
// smaller, or so many in a row are small. A worker's share of memory has room for so many of them.
inline constexpr size_t kLargeReadBytes = 16 << 10;
inline constexpr size_t kMostExpectedBytes = 240 << 10;
inline constexpr size_t kLargeShare = 16;
inline constexpr uint8_t kSmallReadsInARow = 16;
// Pieces from here on are passed on by reference, below they are copied (measured break-even 2 KB;
// 4 KB bounds what a small piece can pin to 16 times its size).
inline constexpr size_t kReferenceBytes = 4 << 10;
// Pieces of one writev.
inline constexpr size_t kMaxPieces = 64;
// One connection may bring this much per turn of the loop, then the others have theirs.
inline constexpr size_t kReadBytesPerTurn = 256 << 10;
// And of requests not many more than so many: small ones are work, not bytes. They come on top of
// what is in flight when a client is read again.
inline constexpr uint32_t kRequestsPerTurn = 256;
inline constexpr size_t kLeastTurnBytes = 4 << 10;
// While nothing is known of a client's requests.
inline constexpr size_t kFirstTurnBytes = 8 << 10;
// A reply longer than this is passed on while it arrives; shorter ones leave whole or not at all.
inline constexpr size_t kStreamingReplyBytes = 64 << 10;
static_assert(kStashBytes < kReadBytes);
static_assert(kSlackBytes + kStashBytes < kReadBytes);

// A busy worker holds requests back while earlier ones are with the server, up to this many bytes.
inline constexpr size_t kHoldBackBytes = 16 << 10;
// How many earlier ones, by the percent of its time that a worker is busy: `from` so busy, until it
// is less busy than `until`. Where they are a few, the server would not have come to it yet.
struct HoldBackLevel {
    uint32_t requests;
    uint64_t from;
    uint64_t until;
};
inline constexpr HoldBackLevel kHoldBackLevels[] = {
    {.requests = 1, .from = 75, .until = 60},
    {.requests = 4, .from = 65, .until = 50},
};
inline constexpr uint32_t kNoHoldBack = UINT32_MAX;

// `before`: what it returned before; at first kNoHoldBack.
[[nodiscard]] constexpr uint32_t hold_back_requests(uint64_t busy_percent,
                                                    uint32_t before) noexcept {
    for (const HoldBackLevel& level : kHoldBackLevels) {
        if (busy_percent >= (before <= level.requests ? level.until : level.from)) {
            return level.requests;
        }
    }
    return kNoHoldBack;
}
static_assert(hold_back_requests(64, kNoHoldBack) == kNoHoldBack);
static_assert(hold_back_requests(65, kNoHoldBack) == 4);
static_assert(hold_back_requests(74, 4) == 4);
static_assert(hold_back_requests(75, 4) == 1);
static_assert(hold_back_requests(60, 1) == 1);
static_assert(hold_back_requests(59, 1) == 4);
static_assert(hold_back_requests(50, 4) == 4);
static_assert(hold_back_requests(49, 1) == kNoHoldBack);

// Requests in flight of one client before its reading stops. It goes on with half of the answers.
// What another client asks for stands behind not many more than these at a server, which is a
// fraction of a millisecond of the server's work.
inline constexpr size_t kFairRequests = 256;
// The same while nobody else has asked for anything for so long: larger batches cost less, and a
// server some way off is kept busy.
inline constexpr size_t kLoneRequests = 1024;
inline constexpr uint64_t kLoneAfterMs = 1000;

// Above half of the worker's memory budget: unsent reply bytes of one client before its reading
// stops.
inline constexpr size_t kTightReplyBytes = 256 << 10;
// Below it: the larger of this and an eighth of the budget. Clients that write a whole pipeline
// before they read must not hang.
inline constexpr size_t kRelaxedReplyBytes = 8 << 20;

// Replies longer than this stop the connection they come by when their client lags by
// kRelaxedReplyBytes: storing the rest would cost more than a spare connection for the others.
inline constexpr size_t kLargeReplyBytes = 1 << 20;
// Connections to one server beyond server_connections, while slow readers hold the usual ones. One
// is what a slow reader needs; the others are for more slow readers at the same time.
inline constexpr size_t kMaxSpares = 4;
// Bytes queued at one connection to a server before the client that adds more has to wait, and
// below which those that wait go on. More than the kernel's buffers hold, so that it never slows a
// server that reads.
inline constexpr size_t kUpstreamBytes = 4 << 20;
inline constexpr size_t kUpstreamResumeBytes = kUpstreamBytes / 4;

// A server that has answered nothing for so long gets no more while memory is short.
inline constexpr uint64_t kHangMs = 2000;

// Of the share, one part in so many is for stashes of requests, whatever else is in use.
inline constexpr size_t kStashesShare = 8;
// Of the share, one part in so many is never given to bodies that are still arriving.
inline constexpr size_t kOthersShare = 16;

// A client stopped in both directions for this long is closed; so is one that announced a body and
// sends none of it.
inline constexpr uint64_t kStuckClientMs = 30000;
// The same while memory is short (above four fifths).
inline constexpr uint64_t kShortPatienceMs = 1000;
// One that holds a server's connection has the pool's `timeout` to take a byte, but not less than
// this: a pause of a slow program is no stop.
inline constexpr uint64_t kLeastHoldPatienceMs = 1000;
// After the last reply to a client that may still be sending: how long its bytes are read and
// thrown away, so that the reply is not lost to a reset.
inline constexpr uint64_t kLingerMs = 1000;
// Without a master a worker answers what is in flight for at most this long.
inline constexpr uint64_t kOrphanMs = 1000;

// The period of the deadline check: timeout / 8 within these bounds.
inline constexpr uint64_t kMinCheckMs = 5;
inline constexpr uint64_t kMaxCheckMs = 100;

// CLIENT LIST and KILL look at so many clients in a turn of the loop, or once at all: about 10 ms.
inline constexpr uint64_t kLooksPerTurn = 10000;

// Accepts per turn of the loop. A Unix listener is shared by all workers: one at a time spreads.
inline constexpr size_t kAcceptsPerTurn = 64;
inline constexpr size_t kUnixAcceptsPerTurn = 1;

// A failing server is logged at most this often.
inline constexpr uint64_t kFailureLogMs = 10000;

inline constexpr uint64_t kBeatMs = 100;
// While a server is accused or out: how often the waits for the master are judged.
inline constexpr uint64_t kHealthCheckMs = 10;
inline constexpr uint64_t kHousekeepingMs = 1000;

}  // namespace ringmaster::worker
