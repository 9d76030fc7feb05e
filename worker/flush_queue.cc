// SPDX-License-Identifier: Apache-2.0
#include "worker/flush_queue.h"

#include <utility>

#include "worker/client_session.h"
#include "worker/limits.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

namespace {

// What the kernel would not take: owns its segments, wherever the connection has gone meanwhile.
struct PendingSegments : io::PendingWrite {
    PendingSegments(Memory& from, Segment* segments) : memory(from), chain(segments) {
        for (const Segment* s = chain; s != nullptr; s = s->next) {
            pieces.push_back({const_cast<char*>(s->data), s->size});
        }
    }
    ~PendingSegments() override {
        while (chain != nullptr) {
            memory.segments.destroy(std::exchange(chain, chain->next));
        }
    }
    Memory& memory;
    Segment* chain;
};

// kAllOut: all that was offered is out.
[[gnu::noinline]] Flushed after_write(Memory& memory, io::Stream& stream, OutQueue& out,
                                      ssize_t taken, size_t offered) {
    if (taken < 0) {
        return {FlushResult::kFailed, static_cast<int>(-taken)};
    }
    if (stream.write_pending()) {
        return {FlushResult::kBlocked};
    }
    out.consume(memory, static_cast<size_t>(taken));
    if (static_cast<size_t>(taken) < offered) {
        stream.write_rest(std::make_unique<PendingSegments>(memory, out.take(memory)));
        return {FlushResult::kBlocked};
    }
    return {FlushResult::kAllOut};
}

[[gnu::noinline]] Flushed flush_pieces(Memory& memory, io::Stream& stream, OutQueue& out) {
    while (!out.empty()) {
        iovec pieces[kMaxPieces];
        const size_t count = out.gather(pieces, kMaxPieces);
        size_t offered = 0;
        for (size_t i = 0; i < count; ++i) {
            offered += pieces[i].iov_len;
        }
        const ssize_t taken = stream.try_write(pieces, count);
        const Flushed flushed = after_write(memory, stream, out, taken, offered);
        if (flushed.result != FlushResult::kAllOut) {
            return flushed;
        }
    }
    return {FlushResult::kAllOut};
}

}  // namespace

Flushed flush(Memory& memory, io::Stream& stream, OutQueue& out) {
    if (out.empty()) {
        return {FlushResult::kAllOut};
    }
    if (!out.is_one_piece()) [[unlikely]] {
        return flush_pieces(memory, stream, out);
    }
    const std::string_view piece = out.first_piece();
    const ssize_t taken = stream.try_write(piece.data(), piece.size());
    if (taken != static_cast<ssize_t>(piece.size())) [[unlikely]] {
        return after_write(memory, stream, out, taken, piece.size());
    }
    out.drop_one_piece(memory);
    return {FlushResult::kAllOut};
}

void FlushQueue::add(UpstreamConnection& connection) noexcept {
    upstreams_.push_back(connection);
}

void FlushQueue::add(ClientSession& session) noexcept {
    clients_.push_back(session);
}

void FlushQueue::flush_all() {
    // A failed upstream write answers clients, so clients come second; flushing a client makes no
    // upstream dirty.
    while (!upstreams_.empty()) {
        upstreams_.pop_front()->flush_now();
    }
    while (!clients_.empty()) {
        clients_.pop_front()->flush_now();
    }
}

}  // namespace ringmaster::worker
