// SPDX-License-Identifier: Apache-2.0
// ClientSession: memcached's meta commands with a key.
#include <array>

#include "worker/client_session.h"
#include "worker/forward.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::memcached::Quiet;
using proto::memcached::RequestView;
using proto::memcached::Shape;

// The quick way for an mg that is there as a whole; false when it is something else.
bool ClientSession::take_meta_get(const Window& window, size_t& used) {
    const char* const at = window.begin + used;
    std::string_view key;
    std::string_view quiet;
    const size_t bytes =
        proto::memcached::RequestParser::whole_meta_get_bytes(at, window.size - used, key, quiet);
    if (bytes == 0) {
        return false;
    }
    used += bytes;
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.quiet_get = !quiet.empty();
    const size_t cut = quiet.empty() ? 0 : 1 + quiet.size();  // with the space before it
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), bytes - cut);
    if (out == nullptr) {
        return true;
    }
    if (quiet.empty()) {
        out->append_from(path_.memory, window.chunk, at, bytes);
    } else {
        const auto head_bytes = static_cast<size_t>(quiet.data() - at) - 1;
        out->append(path_.memory, {at, head_bytes});
        out->append(path_.memory, {at + head_bytes + cut, bytes - head_bytes - cut});
    }
    return true;
}

// A key in base64 belongs to the server that has the key it stands for: who reads it without the
// flag b finds it. One that stands for nothing is refused by any server.
void ClientSession::forward_meta(const Window& window, const RequestView& request) {
    std::array<char, proto::kMaxMemcachedKeyBytes> room;
    std::string_view key = request.key;
    if (request.key_is_base64) {
        const std::string_view decoded = proto::memcached::decode_meta_key(key, room);
        key = decoded.empty() ? key : decoded;
    }
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.quiet_get = request.quiet == Quiet::kMiss;
    queued.fenced = request.quiet == Quiet::kFenced;
    const Shape shape = request.command->shape;
    queued.meta_set = shape == Shape::kMetaSet;
    const std::string_view fence = queued.fenced ? proto::memcached::kFence : std::string_view();
    const size_t size = request.forward_head.size() + request.forward_rest.size() + fence.size();
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), size);
    if (out != nullptr) {
        append_memcached(*out, window, request);
        out->append(path_.memory, fence);
        if (shape == Shape::kMetaGet || shape == Shape::kMetaDebug) {
            note_raw_key(queued, key);
        }
    }
}

// Only these two show the key of the item; the others repeat that of the request.
void ClientSession::note_raw_key(Request& request, std::string_view key) {
    if (key.find('\n') != std::string_view::npos) {
        request.raw_key = true;
        path_.raw_keys.emplace(&request, key);
    }
}

}  // namespace ringmaster::worker
