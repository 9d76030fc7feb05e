// SPDX-License-Identifier: Apache-2.0
// Control frames as a hostile peer would send them. Properties: no crash; what decodes, encodes to
// the same bytes; the outcome does not depend on how the bytes were cut.
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "common/base/assert.h"
#include "common/control/codec.h"

namespace {

using ringmaster::control::FrameDecoder;
using ringmaster::control::Message;

void encode_any(const Message& message, std::string& out) {
    std::visit(
        [&out](const auto& typed) {
            if constexpr (!std::is_same_v<decltype(typed), const std::monostate&>) {
                ringmaster::control::encode(typed, out);
            }
        },
        message);
}

// The bytes of all messages decoded.
std::string decode(std::string_view bytes, size_t feed_bytes, FrameDecoder::Result& end) {
    FrameDecoder decoder;
    std::string again;
    end = FrameDecoder::Result::kNeedMore;
    while (!bytes.empty()) {
        decoder.append(bytes.substr(0, feed_bytes));
        bytes.remove_prefix(feed_bytes < bytes.size() ? feed_bytes : bytes.size());
        Message message;
        while ((end = decoder.next(message)) == FrameDecoder::Result::kMessage) {
            encode_any(message, again);
        }
    }
    RM_ASSERT((end == FrameDecoder::Result::kBad) == !decoder.error().empty());
    return again;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    const std::string bytes(data, data + size_bytes);
    FrameDecoder::Result whole_end{};
    const std::string again = decode(bytes, bytes.size() + 1, whole_end);
    RM_ASSERT(bytes.compare(0, again.size(), again) == 0);
    FrameDecoder::Result cut_end{};
    RM_ASSERT(decode(bytes, 1 + size_bytes % 7, cut_end) == again);
    RM_ASSERT(cut_end == whole_end);
    return 0;
}
