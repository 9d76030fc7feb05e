// SPDX-License-Identifier: Apache-2.0
// ClientSession: one request to several servers, for either protocol's splitter.
#pragma once

#include "worker/client_session.h"
#include "worker/forward.h"
#include "worker/pool.h"

namespace ringmaster::worker {

template <class Splitter, class View>
void ClientSession::split_request(Splitter& splitter, const View& request,
                                  proto::redis::JoinPolicy join) {
    splitter.plan(request, static_cast<uint32_t>(pool_->server_count()),
                  [this](std::string_view key) { return pool_->shard_of(key); });
    const auto plans = splitter.fragments();
    Request& queued = new_request();
    SplitState& split = make_split(queued, plans.size(), splitter.fragment_of_key(), join);
    ++queued.unanswered;  // held until every fragment is on its way
    for (size_t i = 0; i < plans.size(); ++i) {
        OutQueue* out = forward(split.fragments[i], plans[i].shard, plans[i].size_bytes);
        if (out != nullptr) {
            AppendTo sink{path_.memory, *out};
            splitter.write(i, sink);
        }
    }
    if (--queued.unanswered == 0) {
        on_answered(queued);
    }
}

}  // namespace ringmaster::worker
