// SPDX-License-Identifier: Apache-2.0
// Any bytes as Redis replies of both protocols: the verdict and the length do not depend on where
// they were cut, nor on bytes in front being taken away while the reply arrives.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/proto/redis/reply_parser.h"

namespace {

using namespace ringmaster::proto;
using namespace ringmaster::proto::redis;

void check_cut(Protocol protocol, std::string_view bytes, size_t step, bool rebases,
               ParseStatus expected, size_t expected_position) {
    ReplyParser parser(protocol);
    ParseStatus status = ParseStatus::kNeedMore;
    size_t taken = 0;
    size_t size = 0;
    while (status == ParseStatus::kNeedMore && size < bytes.size()) {
        size = std::min(size + step, bytes.size());
        const std::vector<char> copy(bytes.begin() + static_cast<std::ptrdiff_t>(taken),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
        status = parser.parse(copy.data(), copy.size());
        if (status == ParseStatus::kNeedMore) {
            RM_ASSERT(parser.bytes_needed() > copy.size());
            if (rebases) {
                const size_t now = std::min(parser.position(), copy.size());
                parser.rebase(now);
                taken += now;
            }
        }
    }
    RM_ASSERT(status == expected);
    if (expected == ParseStatus::kDone || expected == ParseStatus::kNeedMore) {
        RM_ASSERT(taken + parser.position() == expected_position);
    }
}

// Returns the verdict.
ParseStatus check(Protocol protocol, std::string_view bytes, size_t step) {
    ReplyParser whole(protocol);
    const ParseStatus expected = whole.parse(bytes.data(), bytes.size());
    if (expected == ParseStatus::kDone) {
        RM_ASSERT(whole.position() <= bytes.size());
        RM_ASSERT(whole.is_push() == bytes.starts_with('>'));
    }
    const std::vector<char> copy(bytes.begin(), bytes.end());
    const size_t quick = ReplyParser::whole_reply_bytes(copy.data(), copy.size());
    RM_ASSERT(quick == 0 || (expected == ParseStatus::kDone && quick == whole.position()));
    check_cut(protocol, bytes, step, false, expected, whole.position());
    check_cut(protocol, bytes, step, true, expected, whole.position());
    return expected;
}

}  // namespace

// The first byte chooses the cuts.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    if (size_bytes == 0) {
        return 0;
    }
    const size_t step = size_t{data[0]} % 32 + 1;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size_bytes - 1);
    const ParseStatus resp2 = check(Protocol::kResp2, bytes, step);
    const ParseStatus resp3 = check(Protocol::kResp3, bytes, step);
    RM_ASSERT(resp2 == ParseStatus::kBad || resp2 == resp3);  // RESP3 takes all of RESP2
    return 0;
}
