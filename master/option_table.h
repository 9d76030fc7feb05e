// SPDX-License-Identifier: Apache-2.0
// The flags as rows: parser and help text follow from them.
#pragma once

#include <span>
#include <string_view>

namespace ringmaster::master {

struct OptionRow {
    char short_name = '\0';  // NUL = none
    std::string_view long_name = {};
    std::string_view argument = {};    // how help names the value; empty = a flag without one
    std::string_view value_kind = {};  // completes "option -x requires ..."
    std::string_view text = {};
    std::string_view default_text = {};

    [[nodiscard]] constexpr bool takes_value() const noexcept { return !argument.empty(); }
};

// In the order of the help text.
std::span<const OptionRow> option_table() noexcept;

}  // namespace ringmaster::master
