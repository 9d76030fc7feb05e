// SPDX-License-Identifier: Apache-2.0
// Any bytes as memcached binary requests. Input: one byte that seeds the cuts, then the stream.
// However the stream is cut, and whether or not the bytes of refused requests are dropped
// meanwhile, the same requests come out, and each view is consistent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "common/proto/memcached/binary_request_parser.h"

namespace {

using namespace ringmaster;
using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

std::unique_ptr<char[]> exact_copy(std::string_view bytes) {
    std::unique_ptr<char[]> copy(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return copy;
}

void check_view(const BinaryRequestView& view) {
    if (view.refused()) {
        RM_ASSERT(view.key.empty());
        RM_ASSERT(view.value.empty());
        return;
    }
    RM_ASSERT(view.command != nullptr);
    RM_ASSERT(view.command->opcode == view.opcode);
    RM_ASSERT(!view.ends);
    RM_ASSERT(view.key.size() <= 250);
    RM_ASSERT(view.key.empty() == (view.command->key == BinaryKey::kNone) ||
              view.command->key == BinaryKey::kOptional);
    RM_ASSERT(view.value.empty() || view.command->has_value);
    RM_ASSERT(view.value.data() + view.value.size() == view.bytes.data() + view.bytes.size());
    // The loud form, which is what a server gets, is as good a request.
    std::string loud(view.bytes);
    loud[kBinaryOpcodeAt] = static_cast<char>(view.command->loud);
    BinaryRequestParser again;
    RM_ASSERT(again.parse(loud.data(), loud.size()) == ParseStatus::kDone);
    RM_ASSERT(again.position() == loud.size());
    RM_ASSERT(!again.view(loud.data()).refused());
    RM_ASSERT(again.view(loud.data()).key == view.key);
}

// One line a request: status, length, opcode, opaque, refusal.
std::string outcome(std::string_view stream, base::Rng* rng, bool drop) {
    std::string result;
    while (!stream.empty()) {
        BinaryRequestParser parser;
        size_t arrived = rng == nullptr ? stream.size() : 0;
        size_t dropped = 0;
        ParseStatus status = ParseStatus::kNeedMore;
        std::unique_ptr<char[]> buffer;
        for (;;) {
            if (rng != nullptr) {
                arrived = std::min(stream.size(), arrived + 1 + rng->below(40));
            }
            buffer = exact_copy(stream.substr(dropped, arrived - dropped));
            status = parser.parse(buffer.get(), arrived - dropped);
            if (status != ParseStatus::kNeedMore || arrived == stream.size()) {
                break;
            }
            RM_ASSERT(parser.bytes_needed() > arrived - dropped);
            if (drop) {
                const size_t gone = parser.discardable(arrived - dropped);
                parser.rebase(gone);
                dropped += gone;
            }
        }
        result += std::to_string(static_cast<int>(status));
        if (status != ParseStatus::kDone) {
            return result;
        }
        const size_t request_bytes = dropped + parser.position();
        RM_ASSERT(request_bytes >= kBinaryHeaderBytes);
        RM_ASSERT(request_bytes <= arrived);
        const BinaryRequestView view = parser.view(buffer.get());
        check_view(view);
        result += " " + std::to_string(request_bytes) + " " + std::to_string(view.opcode) + " " +
                  std::to_string(view.opaque) + " " +
                  std::to_string(static_cast<int>(view.refusal)) + "\n";
        stream.remove_prefix(request_bytes);
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    if (size_bytes == 0) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size_bytes - 1);
    base::Rng rng(data[0]);
    const std::string whole = outcome(stream, nullptr, false);
    RM_ASSERT(outcome(stream, &rng, false) == whole);
    RM_ASSERT(outcome(stream, &rng, true) == whole);
    return 0;
}
