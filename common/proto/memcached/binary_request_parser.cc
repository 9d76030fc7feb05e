// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_request_parser.h"

#include <algorithm>

#include "common/base/assert.h"
#include "common/proto/limits.h"

namespace ringmaster::proto::memcached {
namespace {

bool has_right_lengths(const BinaryCommand& command, const BinaryHeader& header) noexcept {
    const bool extras = header.extras_bytes == command.extras_bytes ||
                        (command.may_lack_extras && header.extras_bytes == 0);
    bool key = header.key_bytes <= kMaxMemcachedKeyBytes;
    if (command.key == BinaryKey::kNone) {
        key = header.key_bytes == 0;
    } else if (command.key == BinaryKey::kRequired) {
        key = key && header.key_bytes > 0;
    }
    const uint32_t value_bytes = header.body_bytes - header.key_bytes - header.extras_bytes;
    return extras && key && (command.has_value || value_bytes == 0);
}

bool is_sasl(const BinaryCommand& command) noexcept {
    return command.shape == BinaryShape::kSaslAuth || command.shape == BinaryShape::kSaslStep;
}

}  // namespace

void BinaryRequestParser::judge(const BinaryHeader& header) noexcept {
    opaque_ = header.opaque;
    opcode_ = header.opcode;
    key_bytes_ = header.key_bytes;
    extras_bytes_ = header.extras_bytes;
    has_header_ = true;
    position_ = kBinaryHeaderBytes + size_t{header.body_bytes};
    const BinaryCommand* command = find_binary_command_or_null(header.opcode);
    if (!header.lengths_fit()) {
        refusal_ = BinaryStatus::kUnknownCommand;  // the server's word for it
        ends_ = true;
    } else if (command == nullptr) {
        refusal_ = BinaryStatus::kUnknownCommand;
    } else if (!has_right_lengths(*command, header)) {
        refusal_ = BinaryStatus::kInvalidArguments;
        ends_ = true;
    } else if (is_sasl(*command) && header.body_bytes > kMaxMemcachedSaslBytes) {
        refusal_ = BinaryStatus::kInvalidArguments;
        ends_ = true;
    } else if (header.body_bytes - header.key_bytes - header.extras_bytes >
               kMaxMemcachedValueBytes) {
        refusal_ = BinaryStatus::kTooLarge;
    }
    if (ends_) {
        position_ = kBinaryHeaderBytes;
    }
}

ParseStatus BinaryRequestParser::parse(const char* begin, size_t size) noexcept {
    if (!has_header_) {
        if (size == 0) {
            needed_ = 1;
            return ParseStatus::kNeedMore;
        }
        if (static_cast<uint8_t>(begin[0]) != kBinaryRequestMagic) {
            return ParseStatus::kBad;
        }
        if (size < kBinaryHeaderBytes) {
            needed_ = kBinaryHeaderBytes;
            return ParseStatus::kNeedMore;
        }
        judge(read_binary_header(begin));
    }
    needed_ = position_;
    return size < position_ ? ParseStatus::kNeedMore : ParseStatus::kDone;
}

BinaryRequestView BinaryRequestParser::view(const char* begin) const noexcept {
    BinaryRequestView view;
    view.bytes = {begin, position_};
    view.command = command();
    view.opcode = opcode_;
    view.opaque = opaque_;
    view.refusal = refusal_;
    view.ends = ends_;
    if (refusal_ == BinaryStatus::kSuccess) {
        std::string_view body = view.bytes.substr(kBinaryHeaderBytes + extras_bytes_);
        view.key = body.substr(0, key_bytes_);
        view.value = body.substr(key_bytes_);
    }
    return view;
}

void BinaryRequestParser::refuse(BinaryStatus status) noexcept {
    if (has_header_ && refusal_ == BinaryStatus::kSuccess) {
        refusal_ = status;
    }
}

size_t BinaryRequestParser::discardable(size_t size) const noexcept {
    return refusal_ != BinaryStatus::kSuccess ? std::min(position_, size) : 0;
}

void BinaryRequestParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= discardable(bytes_taken));
    position_ -= bytes_taken;
    needed_ -= bytes_taken;
}

}  // namespace ringmaster::proto::memcached
