// SPDX-License-Identifier: Apache-2.0
// Reads the tab-separated vectors of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::golden {

using Row = std::vector<std::string>;

std::vector<std::string> split(std::string_view text, char separator);

// A row as one line, for messages.
std::string to_line(const Row& row);

// The rows below the heading of `file_name`. A file that cannot be read, another heading than
// `heading`, or a row with another number of columns fails the running test case.
std::vector<Row> read_tsv(const std::string& file_name, const std::vector<std::string>& heading);

// "6162" -> "ab"; fails the running test case on anything but pairs of hex digits.
std::string bytes_from_hex(std::string_view hex);

// Decimal; fails the running test case on anything else.
uint32_t number(const std::string& text);

}  // namespace ringmaster::golden
