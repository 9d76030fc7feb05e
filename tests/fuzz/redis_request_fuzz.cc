// SPDX-License-Identifier: Apache-2.0
// Any bytes as Redis requests: the verdict does not depend on where they were cut, nothing is taken
// that has not arrived, and ArgumentCursor sees what the parser saw.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/proto/redis/inline_request.h"
#include "common/proto/redis/keys.h"
#include "common/proto/redis/request_parser.h"

namespace {

using namespace ringmaster::proto;
using namespace ringmaster::proto::redis;

void check_arguments(const RequestView& view) {
    ArgumentCursor cursor(view.bytes);
    std::string_view argument;
    std::string_view raw;
    uint32_t count = 0;
    const char* behind = nullptr;
    while (cursor.next(argument, raw)) {
        if (count < RequestView::kFirstArguments) {
            RM_ASSERT(argument.data() == view.arguments[count].data());
            RM_ASSERT(argument.size() == view.arguments[count].size());
        }
        RM_ASSERT(behind == nullptr || raw.data() == behind);
        behind = raw.data() + raw.size();
        ++count;
    }
    RM_ASSERT(count == view.argument_count);
    RM_ASSERT(behind == view.bytes.data() + view.bytes.size());
    std::string_view first;
    std::string_view error;
    if (view.command == nullptr || !find_first_key(view, first, error)) {
        return;
    }
    RM_ASSERT(first.data() >= view.bytes.data());
    RM_ASSERT(first.data() + first.size() < behind);
    KeyWalker walker(view);
    std::string_view key;
    bool seen = false;
    while (walker.next(key)) {
        RM_ASSERT(key.data() >= view.bytes.data());
        RM_ASSERT(key.data() + key.size() < behind);
        seen = seen || key.data() == first.data();
    }
    RM_ASSERT(seen);  // the key that decides is one of the keys
}

// The quick way takes nothing that the parser would not, and sees the same.
void check_quick_way(std::string_view bytes) {
    const std::vector<char> copy(bytes.begin(), bytes.end());
    RequestView quick;
    if (!RequestParser::parse_whole(copy.data(), copy.size(), quick)) {
        return;
    }
    RequestParser parser;
    RM_ASSERT(parser.parse(copy.data(), copy.size()) == ParseStatus::kDone);
    RM_ASSERT(!parser.is_inline());
    const RequestView view = parser.view(copy.data());
    RM_ASSERT(quick.bytes.data() == view.bytes.data());
    RM_ASSERT(quick.bytes.size() == view.bytes.size());
    RM_ASSERT(quick.command == view.command);
    check_arguments(quick);
}

// What an inline line becomes is always one whole request.
void check_line(std::string_view line) {
    std::string resp;
    if (translate_inline(line, resp) != InlineStatus::kRequest) {
        RM_ASSERT(resp.empty());
        return;
    }
    RequestParser parser;
    RM_ASSERT(parser.parse(resp.data(), resp.size()) == ParseStatus::kDone);
    RM_ASSERT(parser.position() == resp.size());
    RM_ASSERT(!parser.is_inline());
    check_arguments(parser.view(resp.data()));
}

}  // namespace

// The first byte chooses the cuts.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    if (size_bytes == 0) {
        return 0;
    }
    const size_t step = size_t{data[0]} % 32 + 1;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size_bytes - 1);
    RequestParser whole;
    const ParseStatus expected = whole.parse(bytes.data(), bytes.size());
    if (expected == ParseStatus::kDone) {
        RM_ASSERT(whole.position() <= bytes.size());
        if (whole.is_inline()) {
            check_line(whole.line(bytes.data()));
        } else {
            check_arguments(whole.view(bytes.data()));
        }
    }
    check_quick_way(bytes);
    RequestParser cut;
    ParseStatus status = ParseStatus::kNeedMore;
    size_t size = 0;
    while (status == ParseStatus::kNeedMore && size < bytes.size()) {
        size = std::min(size + step, bytes.size());
        const std::vector<char> copy(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
        status = cut.parse(copy.data(), copy.size());
        if (status == ParseStatus::kNeedMore) {
            RM_ASSERT(cut.bytes_needed() > size);
        }
    }
    RM_ASSERT(status == expected);
    RM_ASSERT(cut.problem() == whole.problem());
    RM_ASSERT(cut.position() == whole.position());
    return 0;
}
