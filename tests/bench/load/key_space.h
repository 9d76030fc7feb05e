// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using Key = std::uint32_t;

// The names of all keys and the value of each. A value follows from its key alone, so that every
// reply can be checked byte for byte whoever wrote it. Names and values live as long as this does.
class KeySpace {
  public:
    // `sizes` are value sizes in bytes; with several, each key has one of them for good.
    KeySpace(Key count, std::vector<std::uint32_t> sizes);

    [[nodiscard]] Key count() const { return count_; }
    [[nodiscard]] std::string_view name(Key key) const {
        return {names_.data() + std::size_t{key} * kNameSize, kNameSize};
    }
    // The value and the CRLF behind it.
    [[nodiscard]] std::string_view value_line(Key key) const;
    [[nodiscard]] std::string_view value(Key key) const {
        const std::string_view line = value_line(key);
        return line.substr(0, line.size() - 2);
    }
    // The key whose name starts `name`; count() if it is none.
    [[nodiscard]] Key find(std::string_view name) const;

    static constexpr std::size_t kNameSize = 18;

  private:
    Key count_;
    std::string names_;
    // Per size: texts of that size, each with its CRLF.
    std::vector<std::uint32_t> sizes_;
    std::vector<std::string> texts_;
};

}  // namespace bench
