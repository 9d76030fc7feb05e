// SPDX-License-Identifier: Apache-2.0
// ClientSession: memcached requests.
#include "worker/client_session.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using proto::memcached::RequestView;
using proto::memcached::Shape;

namespace {
// twemproxy: `version` goes where this key lives.
constexpr std::string_view kPlaceholderKey = "placeholder";
}  // namespace

size_t ClientSession::parse_memcached(const Window& window) {
    size_t used = 0;
    while (used < window.size && !parsing_ended_) {
        const char* at = window.begin + used;
        const ParseStatus status = memcached_parser_.parse(at, window.size - used);
        if (status == ParseStatus::kNeedMore) {
            break;
        }
        if (status != ParseStatus::kDone) {
            refuse_protocol(memcached_parser_.problem());
            break;
        }
        const RequestView request = memcached_parser_.view(at);
        used += memcached_parser_.position();
        memcached_parser_.reset();
        handle_memcached(window, request);
    }
    return used;
}

void ClientSession::handle_memcached(const Window& window, const RequestView& request) {
    if (!request.error_reply.empty()) {
        if (!request.noreply) {
            answer(request.error_reply, true);
        }
        return;
    }
    if (request.command->shape == Shape::kQuit) {
        parsing_ended_ = true;
        clean_end_ = true;
        return;
    }
    if (request.key_count > 1) {
        split_memcached(request);
        return;
    }
    const bool keyless = request.command->shape == Shape::kVersion;
    const std::string_view key = keyless ? kPlaceholderKey : request.key;
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.silent = request.noreply;
    const size_t size = request.forward_head.size() + request.forward_rest.size();
    OutQueue* out = forward(queued.fragment, pool_.shard_of(key), size);
    if (out == nullptr) {
        return;
    }
    const bool in_one_piece =
        request.forward_head.data() + request.forward_head.size() == request.forward_rest.data();
    if (in_one_piece) {
        out->append_from(path_.memory, window.chunk, request.forward_head.data(), size);
    } else {
        out->append(path_.memory, request.forward_head);
        const bool in_window = request.forward_rest.data() >= window.begin &&
                               request.forward_rest.data() < window.begin + window.size;
        out->append_from(path_.memory, in_window ? window.chunk : base::ChunkRef(),
                         request.forward_rest.data(), request.forward_rest.size());
    }
}

void ClientSession::split_memcached(const RequestView& request) {
    auto& splitter = path_.memcached_splitter;
    splitter.plan(request, static_cast<uint32_t>(pool_.server_count()),
                  [this](std::string_view key) { return pool_.shard_of(key); });
    const auto plans = splitter.fragments();
    Request& queued = new_request();
    SplitState& split = make_split(queued, plans.size(), splitter.fragment_of_key(),
                                   proto::redis::JoinPolicy::kFirst);
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
