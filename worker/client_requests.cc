// SPDX-License-Identifier: Apache-2.0
// ClientSession: what the requests of both protocols have in common.
#include <algorithm>
#include <cerrno>
#include <new>

#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using stats::PoolStat;

void ClientSession::answer(std::string_view line, bool is_error) {
    if (is_error) {
        pool_->stats().add(PoolStat::kForwardError);
    }
    if (is_mute()) {
        ++path_.other_work;
        return;
    }
    if (head_ == nullptr) {
        ++path_.other_work;
        out_.append(path_.memory, line);
        mark_dirty();
        return;
    }
    Request& request = new_request();
    request.fragment.reply = path_.memory.park(base::ChunkRef(), line.data(), line.size());
}

void ClientSession::refuse_protocol(std::string_view line) {
    answer(line, true);
    parsing_ended_ = true;
    clean_end_ = false;
    drop_input();
}

UpstreamConnection* ClientSession::connect_or_fail(Fragment& fragment, uint32_t shard) {
    int error = 0;
    ConnectionGroup& group = pool_->server(shard).group(dialect_);
    UpstreamConnection* connection = group.connection_or_null(this, error);
    if (connection == nullptr) {
        fail_fragment(fragment, error);
    } else if (group.keeps_ties()) {
        group.ties().add(this, connection);
    }
    return connection;
}

// A longer request was admitted at its header; but not to a server that hangs.
[[gnu::noinline]] bool ClientSession::refuses_for_memory(uint32_t shard,
                                                         size_t size_bytes) const noexcept {
    return (path_.memory.full && size_bytes < kReadBytes) || pool_->server(shard).hangs();
}

// No shard, no memory, or a server that is known to be bad.
void ClientSession::fail_forward(Fragment& fragment, uint32_t shard, size_t size_bytes) {
    if (shard == ring::kNoShard) {
        fail_fragment(fragment, ECONNREFUSED);  // twemproxy: the text when all servers are ejected
    } else if (path_.memory.may_refuse && refuses_for_memory(shard, size_bytes)) {
        pool_->stats().add(PoolStat::kOutOfMemory);
        fail_fragment(fragment, kNoMemoryForRequest);
    } else {
        fail_fragment(fragment, pool_->fail_cause(shard));
    }
}

void ClientSession::fail_fragment(Fragment& fragment, int error) {
    ++path_.other_work;
    Request& request = *fragment.request;
    const std::string_view line = server_error_line(redis_, error);
    fragment.reply.data = line.data();
    fragment.reply.size = line.size();
    request.proxy_error = true;
    if (--request.unanswered == 0) {
        on_answered(request);
    }
}

SplitState& ClientSession::make_split(Request& request, size_t fragments,
                                      std::span<const uint32_t> key_map,
                                      proto::redis::JoinPolicy join) {
    path_.other_work += static_cast<uint32_t>(std::max(fragments, key_map.size()));
    // One chunk holds it all: the state, its fragments, the map.
    static_assert(sizeof(SplitState) % alignof(Fragment) == 0);
    static_assert(alignof(Fragment) >= alignof(uint32_t));
    const size_t fragments_at = sizeof(SplitState);
    const size_t map_at = fragments_at + fragments * sizeof(Fragment);
    base::ChunkRef chunk = path_.memory.chunks.acquire(map_at + key_map.size() * sizeof(uint32_t));
    char* memory = chunk->data();
    auto* split = new (memory) SplitState;
    auto* first = reinterpret_cast<Fragment*>(memory + fragments_at);
    for (size_t i = 0; i < fragments; ++i) {
        auto* fragment = new (first + i) Fragment;
        fragment->request = &request;
        fragment->index = static_cast<uint32_t>(i);
    }
    auto* map = reinterpret_cast<uint32_t*>(memory + map_at);
    std::copy(key_map.begin(), key_map.end(), map);
    split->fragments = {first, fragments};
    split->fragment_of_key = {map, key_map.size()};
    split->join = join;
    split->memory = std::move(chunk);
    request.split = split;
    request.unanswered = static_cast<uint32_t>(fragments);
    if (fragments > 1) {
        pool_->stats().add(PoolStat::kFragments, static_cast<int64_t>(fragments));
    }
    return *split;
}

}  // namespace ringmaster::worker
