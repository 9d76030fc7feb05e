// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: replies to memcached's meta commands, and what of them a client gets.
#include "common/proto/memcached/meta_line.h"
#include "worker/request.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

using proto::memcached::kFenceReply;

// The quick way, as ReplyParser::whole_reply_bytes(). 0: ask the parser, which then knows what is
// special about this reply.
size_t UpstreamConnection::whole_meta_reply_bytes(const char* begin, size_t size) noexcept {
    Request& request = *head_->request;
    if (request.has_odd_end()) [[unlikely]] {
        if (request.fenced) {
            memcached_parser_.expect_fence();
        }
        if (request.raw_key) {
            memcached_parser_.expect_raw_key(path_.raw_keys.of(request));
        }
        return 0;
    }
    const size_t bytes = proto::memcached::ReplyParser::whole_meta_reply_bytes(begin, size);
    if (bytes > 0) {
        request.meta_set = false;  // this is not ERROR: a reply as any other
    }
    return bytes;
}

// A server without meta commands answers ERROR to an ms and goes on with each line of its data
// block, and to a fence: nobody knows how often.
bool UpstreamConnection::may_answer_often(const Request& request, std::string_view reply) noexcept {
    return (request.meta_set || request.fenced) && reply == "ERROR\r\n";
}

// How many bytes at the end of a server's whole reply the client does not get. All: it is silent.
size_t UpstreamConnection::bytes_kept_quiet(Request& request, std::string_view reply) noexcept {
    size_t bytes = 0;
    if (request.quiet_get && (reply.starts_with("EN\r") || reply.starts_with("EN "))) {
        bytes = reply.size();
    } else if (request.fenced && reply.ends_with(kFenceReply)) {
        bytes = kFenceReply.size();
    }
    request.silent = request.silent || (bytes > 0 && bytes == reply.size());
    return bytes;
}

}  // namespace ringmaster::worker
