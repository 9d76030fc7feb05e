// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_reply_parser.h"

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/binary_protocol.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr uint8_t kStat = 0x10;

}  // namespace

ParseStatus BinaryReplyParser::parse(const char* begin, size_t size) noexcept {
    for (;;) {
        if (in_reply_ && !in_stats_) {
            needed_ = position_;
            return size < position_ ? ParseStatus::kNeedMore : ParseStatus::kDone;
        }
        if (size <= position_) {
            needed_ = position_ + (in_stats_ ? kBinaryHeaderBytes : 1);
            return ParseStatus::kNeedMore;
        }
        if (static_cast<uint8_t>(begin[position_]) != kBinaryReplyMagic) {
            return ParseStatus::kBad;
        }
        if (size < position_ + kBinaryHeaderBytes) {
            needed_ = position_ + kBinaryHeaderBytes;
            return ParseStatus::kNeedMore;
        }
        const BinaryHeader header = read_binary_header(begin + position_);
        if (!header.lengths_fit() || (in_stats_ && header.opcode != kStat)) {
            return ParseStatus::kBad;
        }
        if (header.body_bytes > kMaxMemcachedValueBytes + kMaxMemcachedPacketOverhead) {
            return ParseStatus::kTooBig;
        }
        position_ += kBinaryHeaderBytes + size_t{header.body_bytes};
        in_reply_ = true;
        in_stats_ = header.opcode == kStat && header.key_bytes > 0;
    }
}

void BinaryReplyParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= position_);
    position_ -= bytes_taken;
    needed_ = needed_ > bytes_taken ? needed_ - bytes_taken : 1;
}

}  // namespace ringmaster::proto::memcached
