// SPDX-License-Identifier: Apache-2.0
// ClientSession: memcached's meta commands with a key.
#include <array>

#include "worker/client_session.h"
#include "worker/forward.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::memcached::Quiet;
using proto::memcached::RequestParser;
using proto::memcached::RequestView;
using proto::memcached::Shape;

// The quick way for an mg or ms that is there as a whole; false when it is something else.
bool ClientSession::take_meta(const Window& window, size_t& used) {
    const char* const at = window.begin + used;
    std::string_view key;
    std::string_view quiet;
    const size_t bytes = RequestParser::whole_meta_get_bytes(at, window.size - used, key, quiet);
    if (bytes == 0) {
        return take_meta_set(window, used);
    }
    used += bytes;
    if (!quiet.empty()) [[unlikely]] {
        forward_quiet_get({at, bytes}, key, quiet);
        return true;
    }
    Request& queued = new_request();
    queued.unanswered = 1;
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), bytes);
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, at, bytes);
    }
    return true;
}

// Apart, so that the way of an mg stays short enough to be inlined.
[[gnu::noinline]] bool ClientSession::take_meta_set(const Window& window, size_t& used) {
    const char* const at = window.begin + used;
    std::string_view key;
    const size_t bytes = RequestParser::whole_meta_set_bytes(at, window.size - used, key);
    if (bytes == 0) {
        return false;
    }
    used += bytes;
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.meta_set = true;
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), bytes);
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, at, bytes);
    }
    return true;
}

// Without `quiet` and the space before it.
void ClientSession::forward_quiet_get(std::string_view request, std::string_view key,
                                      std::string_view quiet) {
    const size_t cut = 1 + quiet.size();
    const auto head_bytes = static_cast<size_t>(quiet.data() - request.data()) - 1;
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.quiet_get = true;
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), request.size() - cut);
    if (out != nullptr) {
        out->append(path_.memory, request.substr(0, head_bytes));
        out->append(path_.memory, request.substr(head_bytes + cut));
    }
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
        path_.raw_keys.add(request, key);
    }
}

}  // namespace ringmaster::worker
