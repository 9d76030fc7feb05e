// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: the one parser of the three that finds the end of this connection's replies.
#include "common/base/assert.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

using proto::ParseStatus;

UpstreamConnection::ReplyFormat UpstreamConnection::reply_format(bool redis,
                                                                 Dialect dialect) noexcept {
    RM_ASSERT(dialect == Dialect::kPlain || (dialect == Dialect::kResp3) == redis);
    if (dialect == Dialect::kMemcachedBinary) {
        return ReplyFormat::kMemcachedBinary;
    }
    return redis ? ReplyFormat::kRedis : ReplyFormat::kMemcachedText;
}

ParseStatus UpstreamConnection::parse(const char* begin, size_t size) noexcept {
    switch (format_) {
        case ReplyFormat::kRedis:
            return redis_parser_.parse(begin, size);
        case ReplyFormat::kMemcachedBinary:
            return binary_parser_.parse(begin, size);
        case ReplyFormat::kMemcachedText:
            break;
    }
    return memcached_parser_.parse(begin, size);
}

size_t UpstreamConnection::parser_position() const noexcept {
    switch (format_) {
        case ReplyFormat::kRedis:
            return redis_parser_.position();
        case ReplyFormat::kMemcachedBinary:
            return binary_parser_.position();
        case ReplyFormat::kMemcachedText:
            break;
    }
    return memcached_parser_.position();
}

size_t UpstreamConnection::parser_needed() const noexcept {
    switch (format_) {
        case ReplyFormat::kRedis:
            return redis_parser_.bytes_needed();
        case ReplyFormat::kMemcachedBinary:
            return binary_parser_.bytes_needed();
        case ReplyFormat::kMemcachedText:
            break;
    }
    return memcached_parser_.bytes_needed();
}

void UpstreamConnection::parser_rebase(size_t bytes) noexcept {
    switch (format_) {
        case ReplyFormat::kRedis:
            redis_parser_.rebase(bytes);
            return;
        case ReplyFormat::kMemcachedBinary:
            binary_parser_.rebase(bytes);
            return;
        case ReplyFormat::kMemcachedText:
            memcached_parser_.rebase(bytes);
            return;
    }
}

void UpstreamConnection::parser_reset() noexcept {
    switch (format_) {
        case ReplyFormat::kRedis:
            redis_parser_.reset();
            return;
        case ReplyFormat::kMemcachedBinary:
            binary_parser_.reset();
            return;
        case ReplyFormat::kMemcachedText:
            memcached_parser_.reset();
            return;
    }
}

}  // namespace ringmaster::worker
