// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/key_space.h"

#include <algorithm>
#include <utility>

#include "tests/bench/load/random.h"

namespace bench {
namespace {

// Values of one size differ between neighbours of so many keys.
constexpr std::uint32_t kTexts = 61;
constexpr std::size_t kDigits = 12;
// The digits come first: FNV-1a multiplies the last bytes of a key only once or twice, so that keys
// which differ only at the end clump on one shard.
constexpr std::string_view kNameEnd = ":bench";
static_assert(kDigits + kNameEnd.size() == KeySpace::kNameSize);

std::string make_texts(std::uint32_t size) {
    Random random(size + 1);
    std::string texts;
    texts.reserve(std::size_t{kTexts} * (size + 2));
    for (std::uint32_t text = 0; text < kTexts; ++text) {
        for (std::uint32_t byte = 0; byte < size; ++byte) {
            texts += static_cast<char>('!' + random.below(94));
        }
        texts += "\r\n";
    }
    return texts;
}

}  // namespace

KeySpace::KeySpace(Key count, std::vector<std::uint32_t> sizes)
    : count_(count), sizes_(std::move(sizes)) {
    names_.reserve(std::size_t{count} * kNameSize);
    for (Key key = 0; key < count; ++key) {
        std::string digits = std::to_string(key);
        names_.append(kDigits - digits.size(), '0').append(digits).append(kNameEnd);
    }
    std::transform(sizes_.begin(), sizes_.end(), std::back_inserter(texts_), make_texts);
}

std::string_view KeySpace::value_line(Key key) const {
    // The multiplication keeps size, text and shard from following each other.
    const std::uint32_t mixed = (key * 0x9e3779b1U) >> 8;
    const std::size_t which = mixed % sizes_.size();
    const std::size_t line = sizes_[which] + 2;
    return {texts_[which].data() + (key % kTexts) * line, line};
}

Key KeySpace::find(std::string_view name) const {
    if (name.size() < kNameSize) {
        return count_;
    }
    std::uint64_t key = 0;
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
        key = key * 10 + static_cast<std::uint64_t>(name[digit] - '0');
    }
    if (key >= count_ || this->name(static_cast<Key>(key)) != name.substr(0, kNameSize)) {
        return count_;
    }
    return static_cast<Key>(key);
}

}  // namespace bench
