// SPDX-License-Identifier: Apache-2.0
// Text formatting with fmt's syntax: format("{} of {}", a, b).
//
// why not: fmt::format directly. Only format.cc and log.cc see fmt's heavy header; everybody else
// sees <fmt/core.h>, and no shared library is needed at run time.
#pragma once

#include <string>

#include <fmt/core.h>

namespace ringmaster::base {

std::string format_arguments(fmt::string_view text, fmt::format_args args);

template <class... Args>
std::string format(fmt::format_string<Args...> text, Args&&... args) {
    return format_arguments(text, fmt::make_format_args(args...));
}

// The C-locale text of an errno value, e.g. "Connection refused".
std::string errno_text(int errno_value);

}  // namespace ringmaster::base
