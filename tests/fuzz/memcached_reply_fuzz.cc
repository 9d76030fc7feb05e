// SPDX-License-Identifier: Apache-2.0
// Any bytes as memcached replies. Input: one byte that seeds the cuts and says what is expected of
// the first reply (nothing special, a fence, a raw key: the bytes up to the first '|'), then the
// stream. However the stream is cut, and whether or not bytes are taken away meanwhile, the same
// replies come out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "common/proto/memcached/reply_parser.h"

namespace {

using namespace ringmaster;
using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

std::unique_ptr<char[]> exact_copy(std::string_view bytes) {
    std::unique_ptr<char[]> copy(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return copy;
}

struct Expected {
    bool fence = false;
    std::string raw_key;
};

std::string outcome(std::string_view stream, const Expected& expected, base::Rng* rng,
                    bool rebase) {
    std::string result;
    while (!stream.empty()) {
        ReplyParser parser;
        parser.expect_raw_key(expected.raw_key);
        if (expected.fence) {
            parser.expect_fence();
        }
        size_t arrived = rng == nullptr ? stream.size() : 0;
        size_t taken = 0;
        ParseStatus status = ParseStatus::kNeedMore;
        for (;;) {
            if (rng != nullptr) {
                arrived = std::min(stream.size(), arrived + 1 + rng->below(40));
            }
            const auto buffer = exact_copy(stream.substr(taken, arrived - taken));
            status = parser.parse(buffer.get(), arrived - taken);
            if (status != ParseStatus::kNeedMore || arrived == stream.size()) {
                break;
            }
            RM_ASSERT(parser.bytes_needed() > arrived - taken);
            if (rebase) {
                const size_t can_go = std::min(parser.position(), arrived - taken);
                parser.rebase(can_go);
                taken += can_go;
            }
        }
        result += std::to_string(static_cast<int>(status)) + " ";
        if (status != ParseStatus::kDone) {
            return result;
        }
        const size_t reply_bytes = taken + parser.position();
        RM_ASSERT(reply_bytes > 0);
        RM_ASSERT(reply_bytes <= arrived);
        RM_ASSERT(stream.substr(0, reply_bytes).ends_with("\r\n"));
        result += std::to_string(reply_bytes) + "\n";
        stream.remove_prefix(reply_bytes);
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    if (size_bytes == 0) {
        return 0;
    }
    std::string_view stream(reinterpret_cast<const char*>(data) + 1, size_bytes - 1);
    base::Rng rng(data[0]);
    const auto copy = exact_copy(stream);
    for (const size_t quick : {ReplyParser::whole_reply_bytes(copy.get(), stream.size()),
                               ReplyParser::whole_meta_reply_bytes(copy.get(), stream.size())}) {
        ReplyParser parser;
        RM_ASSERT(quick == 0 || (parser.parse(copy.get(), stream.size()) == ParseStatus::kDone &&
                                 parser.position() == quick));
    }
    Expected expected;
    expected.fence = (data[0] & 0x40) != 0;
    const size_t bar = stream.find('|');
    if ((data[0] & 0x80) != 0 && bar != std::string_view::npos) {
        expected.raw_key = stream.substr(0, bar);
        stream.remove_prefix(bar + 1);
    }
    const std::string whole = outcome(stream, expected, nullptr, false);
    RM_ASSERT(outcome(stream, expected, &rng, false) == whole);
    RM_ASSERT(outcome(stream, expected, &rng, true) == whole);
    return 0;
}
