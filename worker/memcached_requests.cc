// SPDX-License-Identifier: Apache-2.0
// ClientSession: memcached requests.
#include <ctime>

#include <sys/socket.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/inline.h"
#include "worker/client_session.h"
#include "worker/forward.h"
#include "worker/pool.h"
#include "worker/split_request.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using proto::memcached::RequestView;
using proto::memcached::Shape;

RM_INLINE inline void ClientSession::forward_as_it_came(const Window& window,
                                                        std::string_view request,
                                                        std::string_view key) {
    Request& queued = new_request();
    queued.unanswered = 1;
    OutQueue* out = forward(queued.fragment, pool_->shard_of(key), request.size());
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, request.data(), request.size());
    }
}

size_t ClientSession::parse_memcached(const Window& window) {
    size_t used = 0;
    while (used < window.size && !parsing_ended_) {
        const char* at = window.begin + used;
        if (memcached_parser_.at_start()) [[likely]] {
            std::string_view key;
            const size_t bytes =
                proto::memcached::RequestParser::whole_request_bytes(at, window.size - used, key);
            if (bytes > 0) [[likely]] {
                used += bytes;
                forward_as_it_came(window, {at, bytes}, key);
                continue;
            }
            if (take_meta(window, used)) {
                continue;
            }
        }
        const ParseStatus status = memcached_parser_.parse(at, window.size - used);
        if (status == ParseStatus::kNeedMore) {
            used += drop_refused_bytes(window.size - used);
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

// A data block that is refused is never kept.
size_t ClientSession::drop_refused_bytes(size_t arrived) {
    const size_t dropped = memcached_parser_.discardable(arrived);
    memcached_parser_.rebase(dropped);
    return dropped;
}

void ClientSession::handle_memcached(const Window& window, const RequestView& request) {
    if (!request.error_reply.empty()) {
        if (!request.noreply) {
            answer(request.error_reply, true);
        }
        return;
    }
    switch (request.command->shape) {
        case Shape::kQuit:
            parsing_ended_ = true;
            clean_end_ = true;
            return;
        case Shape::kVerbosity:  // one client must not turn on the logs of shared servers
            if (!request.noreply) {
                answer("OK\r\n", false);
            }
            return;
        case Shape::kStats:
            answer_memcached_stats(request.argument);
            return;
        case Shape::kFlushAll:
            flush_all(request);
            return;
        case Shape::kVersion:
            answer(base::format("VERSION {}\r\n", pool_->config().memcached_version), false);
            return;
        case Shape::kMetaNoop:
            answer(proto::memcached::kFenceReply, false);
            return;
        case Shape::kConfig:
            answer_cluster_config();
            return;
        case Shape::kMetaGet:
        case Shape::kMetaSet:
        case Shape::kMeta:
        case Shape::kMetaDebug:
            forward_meta(window, request);
            return;
        case Shape::kRetrieval:
            if (request.key_count == 0) {
                answer("END\r\n", false);
                return;
            }
            break;
        case Shape::kStorage:
        case Shape::kArithmetic:
        case Shape::kTouch:
        case Shape::kDelete:
        case Shape::kRefused:
            break;
    }
    if (request.key_count > 1) {
        split_request(path_.memcached_splitter, window, request, proto::redis::JoinPolicy::kFirst);
    } else {
        forward_memcached(window, request);
    }
}

void ClientSession::forward_memcached(const Window& window, const RequestView& request) {
    Request& queued = new_request();
    queued.unanswered = 1;
    queued.silent = request.noreply;
    const size_t size = request.forward_head.size() + request.forward_rest.size();
    OutQueue* out = forward(queued.fragment, pool_->shard_of(request.key), size);
    if (out != nullptr) {
        append_memcached(*out, window, request);
    }
}

void ClientSession::append_memcached(OutQueue& out, const Window& window,
                                     const RequestView& request) {
    const bool in_one_piece =
        request.forward_head.data() + request.forward_head.size() == request.forward_rest.data();
    if (in_one_piece) {
        const size_t size = request.forward_head.size() + request.forward_rest.size();
        out.append_from(path_.memory, window.chunk, request.forward_head.data(), size);
    } else {
        out.append(path_.memory, request.forward_head);
        const bool in_window = request.forward_rest.data() >= window.begin &&
                               request.forward_rest.data() < window.begin + window.size;
        out.append_from(path_.memory, in_window ? window.chunk : base::ChunkRef(),
                        request.forward_rest.data(), request.forward_rest.size());
    }
}

// To every server. The joiner makes one OK of theirs.
void ClientSession::flush_all(const RequestView& request) {
    if (!pool_->config().flush_all) {
        if (!request.noreply) {
            answer("CLIENT_ERROR flush_all is not allowed on this pool\r\n", true);
        }
        return;
    }
    Request& queued = new_request();
    queued.silent = request.noreply;
    SplitState& split =
        make_split(queued, pool_->server_count(), {}, proto::redis::JoinPolicy::kFirst);
    ++queued.unanswered;  // held until every fragment is on its way
    const size_t size = request.forward_head.size() + request.forward_rest.size();
    for (uint32_t shard = 0; shard < pool_->server_count(); ++shard) {
        OutQueue* out = forward(split.fragments[shard], shard, size);
        if (out != nullptr) {
            out->append(path_.memory, request.forward_head);
            out->append(path_.memory, request.forward_rest);
        }
    }
    if (--queued.unanswered == 0) {
        on_answered(queued);
    }
}

// About this worker, as the servers' own numbers cannot be added up. What has no meaning here is an
// empty list.
void ClientSession::answer_memcached_stats(std::string_view what) {
    if (what == "reset") {
        answer("RESET\r\n", false);
        return;
    }
    if (!what.empty()) {
        answer("END\r\n", false);
        return;
    }
    std::string lines;
    for (const auto& [name, value] : memcached_stats()) {
        lines += base::format("STAT {} {}\r\n", name, value);
    }
    answer(lines + "END\r\n", false);
}

std::vector<std::pair<std::string_view, std::string>> ClientSession::memcached_stats() const {
    const uint64_t uptime_s = (path_.loop.now_ms() - path_.started_ms) / 1000;
    return {{"pid", std::to_string(::getpid())},
            {"uptime", std::to_string(uptime_s)},
            {"time", std::to_string(std::time(nullptr))},
            {"version", RM_VERSION},
            {"pointer_size", std::to_string(8 * sizeof(void*))},
            {"curr_connections", std::to_string(path_.curr_connections)},
            {"total_connections", std::to_string(path_.total_connections)},
            {"threads", "1"}};
}

// As ElastiCache's: one node, the address this client has connected to.
void ClientSession::answer_cluster_config() {
    sockaddr_storage storage{};
    socklen_t size_bytes = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    const bool known = ::getsockname(stream_.fd(), address, &size_bytes) == 0;
    const auto local =
        known ? io::SocketAddress::from_sockaddr(address, size_bytes) : io::SocketAddress();
    if (local.port() == 0) {  // a Unix socket has no name that this answer could carry
        answer("ERROR\r\n", true);
        return;
    }
    std::string host = local.text();
    host.resize(host.rfind(':'));
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
    }
    const std::string nodes = base::format("1\n{}|{}|{}\n", host, host, local.port());
    answer(base::format("CONFIG cluster 0 {}\r\n{}\r\nEND\r\n", nodes.size(), nodes), false);
}

}  // namespace ringmaster::worker
