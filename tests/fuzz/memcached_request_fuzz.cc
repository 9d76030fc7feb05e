// SPDX-License-Identifier: Apache-2.0
// Any bytes as memcached requests. Input: one byte that seeds the cuts, then the stream. However
// the stream is cut, and whether or not the bytes of refused requests are dropped meanwhile, the
// same requests come out, and each view is consistent.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "common/proto/memcached/request_parser.h"

namespace {

using namespace ringmaster;
using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

std::unique_ptr<char[]> exact_copy(std::string_view bytes) {
    std::unique_ptr<char[]> copy(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return copy;
}

void check_view(const RequestView& view) {
    // Answered by the proxy: what would be forwarded does not matter.
    const bool local = view.command != nullptr && (view.command->shape == Shape::kVerbosity ||
                                                   view.command->shape == Shape::kStats);
    if (view.error_reply.empty() && !local) {
        RM_ASSERT(view.command != nullptr);
        const std::string forward = std::string(view.forward_head) + std::string(view.forward_rest);
        RequestParser again;
        RM_ASSERT(again.parse(forward.data(), forward.size()) == ParseStatus::kDone);
        RM_ASSERT(again.position() == forward.size());
        const RequestView second = again.view(forward.data());
        RM_ASSERT(second.error_reply.empty());
        RM_ASSERT(!second.noreply);
        RM_ASSERT(second.key == view.key);
        RM_ASSERT(second.key_is_base64 == view.key_is_base64);
        RM_ASSERT(second.quiet == (view.quiet == Quiet::kMiss ? Quiet::kNo : view.quiet));
        if (view.key_is_base64) {
            std::array<char, kMaxMemcachedKeyBytes> room;
            RM_ASSERT(decode_meta_key(view.key, room).size() <= view.key.size() / 4 * 3);
        }
    } else if (!view.error_reply.empty()) {
        RM_ASSERT(view.error_reply.ends_with("\r\n"));
        RM_ASSERT(view.forward_head.empty());
    }
    if (view.command == nullptr || view.command->shape != Shape::kRetrieval ||
        !view.error_reply.empty()) {
        return;
    }
    KeyCursor cursor(view);
    uint32_t keys = 0;
    for (std::string_view key; cursor.next(key); ++keys) {
        RM_ASSERT(!key.empty());
        RM_ASSERT(key.size() <= 250);
    }
    RM_ASSERT(keys == view.key_count);
}

// A quick way takes nothing that the parser would not: `bytes` are one request with `key`. The
// parser's view of it, which lies in `stream`.
RequestView parse_taken(const char* stream, size_t size, size_t bytes, std::string_view key) {
    RequestParser parser;
    RM_ASSERT(parser.parse(stream, size) == ParseStatus::kDone);
    RM_ASSERT(parser.position() == bytes);
    const RequestView view = parser.view(stream);
    RM_ASSERT(view.error_reply.empty());
    RM_ASSERT(!view.key_is_base64);
    RM_ASSERT(view.key == key);
    return view;
}

std::string forwarded(const RequestView& view) {
    return std::string(view.forward_head) + std::string(view.forward_rest);
}

// What the quick way takes is forwarded as it came.
void check_quick_way(std::string_view stream) {
    const auto copy = exact_copy(stream);
    std::string_view key;
    const size_t bytes = RequestParser::whole_request_bytes(copy.get(), stream.size(), key);
    if (bytes == 0) {
        return;
    }
    const RequestView view = parse_taken(copy.get(), stream.size(), bytes, key);
    RM_ASSERT(!view.noreply);
    RM_ASSERT(view.key_count == 1);
    RM_ASSERT(forwarded(view) == stream.substr(0, bytes));
}

// That of an mg, but for its q.
void check_quick_meta_get(std::string_view stream) {
    const auto copy = exact_copy(stream);
    std::string_view key;
    std::string_view quiet;
    const size_t bytes = RequestParser::whole_meta_get_bytes(copy.get(), stream.size(), key, quiet);
    if (bytes == 0) {
        return;
    }
    const RequestView view = parse_taken(copy.get(), stream.size(), bytes, key);
    RM_ASSERT(view.quiet == (quiet.empty() ? Quiet::kNo : Quiet::kMiss));
    const size_t cut = quiet.empty() ? 0 : quiet.size() + 1;
    RM_ASSERT(forwarded(view).size() + cut == bytes);
    RM_ASSERT(quiet.empty() ||
              view.forward_head.data() + view.forward_head.size() + 1 == quiet.data());
}

// That of an ms.
void check_quick_meta_set(std::string_view stream) {
    const auto copy = exact_copy(stream);
    std::string_view key;
    const size_t bytes = RequestParser::whole_meta_set_bytes(copy.get(), stream.size(), key);
    if (bytes == 0) {
        return;
    }
    const RequestView view = parse_taken(copy.get(), stream.size(), bytes, key);
    RM_ASSERT(view.quiet == Quiet::kNo);
    RM_ASSERT(forwarded(view) == stream.substr(0, bytes));
}

// One line a request: status, length, error.
std::string outcome(std::string_view stream, base::Rng* rng, bool drop) {
    std::string result;
    while (!stream.empty()) {
        RequestParser parser;
        size_t arrived = rng == nullptr ? stream.size() : 0;
        ParseStatus status = ParseStatus::kNeedMore;
        std::unique_ptr<char[]> buffer;
        size_t dropped = 0;
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
            RM_ASSERT((status == ParseStatus::kNeedMore) == (parser.problem() == nullptr));
            return result;
        }
        const size_t request_bytes = dropped + parser.position();
        RM_ASSERT(request_bytes > 0);
        RM_ASSERT(request_bytes <= arrived);
        const RequestView view = parser.view(buffer.get());
        check_view(view);
        result += " " + std::to_string(request_bytes) + (view.noreply ? " noreply " : " ");
        result += view.error_reply;
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
    check_quick_way(stream);
    check_quick_meta_get(stream);
    check_quick_meta_set(stream);
    const std::string whole = outcome(stream, nullptr, false);
    RM_ASSERT(outcome(stream, &rng, false) == whole);
    RM_ASSERT(outcome(stream, &rng, true) == whole);
    return 0;
}
