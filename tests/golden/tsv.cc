// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/tsv.h"

#include <charconv>
#include <fstream>

#include <doctest/doctest.h>

namespace ringmaster::golden {
namespace {

uint32_t parse_whole(std::string_view text, int base) {
    uint32_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    const bool whole = error == std::errc() && stop == end;
    REQUIRE_MESSAGE(whole, "not a number: " << std::string(text));
    return value;
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    size_t begin = 0;
    for (size_t end = text.find(separator); end != std::string_view::npos;
         end = text.find(separator, begin)) {
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.emplace_back(text.substr(begin));
    return parts;
}

std::string to_line(const Row& row) {
    std::string line;
    for (const std::string& column : row) {
        line += (line.empty() ? "" : " | ") + column;
    }
    return line;
}

std::vector<Row> read_tsv(const std::string& file_name, const std::vector<std::string>& heading) {
    std::ifstream file(std::string(RM_GOLDEN_DIR) + "/" + file_name, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), "cannot read " << file_name);
    std::string line;
    std::getline(file, line);
    REQUIRE(split(line, '\t') == heading);
    std::vector<Row> rows;
    while (std::getline(file, line)) {
        rows.push_back(split(line, '\t'));
        REQUIRE_MESSAGE(rows.back().size() == heading.size(), file_name << ": " << line);
    }
    return rows;
}

std::string bytes_from_hex(std::string_view hex) {
    REQUIRE(hex.size() % 2 == 0);
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2) {
        bytes += static_cast<char>(parse_whole(hex.substr(i, 2), 16));
    }
    return bytes;
}

uint32_t number(const std::string& text) {
    return parse_whole(text, 10);
}

}  // namespace ringmaster::golden
