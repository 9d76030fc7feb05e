// SPDX-License-Identifier: Apache-2.0
// ClientSession: one request to several servers, for either protocol's splitter.
#pragma once

#include <algorithm>

#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/pool.h"

namespace ringmaster::worker {

template <class Splitter, class View>
void ClientSession::split_request(Splitter& splitter, const Window& window, const View& request,
                                  proto::redis::JoinPolicy join) {
    splitter.plan(request, static_cast<uint32_t>(pool_->server_count()),
                  [this](std::string_view key) { return pool_->shard_of(key); });
    const auto plans = splitter.fragments();
    // At most a key and a value each are copied into their fragment; what is larger is referenced.
    const size_t copied = 2 * splitter.fragment_of_key().size() * kReferenceBytes;
    const size_t bytes = request.bytes.size();
    if (bytes > kReadBytes && !path_.memory.fits(std::min(bytes, copied))) {
        pool_->stats().add(stats::PoolStat::kOutOfMemory);
        answer(server_error_line(redis_, kNoMemoryForRequest), true);
        return;
    }
    Request& queued = new_request();
    queued.silent = is_mute();
    SplitState& split = make_split(queued, plans.size(), splitter.fragment_of_key(), join);
    ++queued.unanswered;  // held until every fragment is on its way
    for (size_t i = 0; i < plans.size(); ++i) {
        OutQueue* out = forward(split.fragments[i], plans[i].shard, plans[i].size_bytes);
        if (out != nullptr) {
            AppendFrom sink{path_.memory, *out, window.chunk};
            splitter.write(i, sink);
        }
    }
    if (--queued.unanswered == 0) {
        on_answered(queued);
    }
}

}  // namespace ringmaster::worker
