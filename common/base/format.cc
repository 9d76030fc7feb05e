// SPDX-License-Identifier: Apache-2.0
#define FMT_HEADER_ONLY
#include "common/base/format.h"

#include <cstring>

#include <fmt/format.h>

namespace ringmaster::base {

std::string format_arguments(fmt::string_view text, fmt::format_args args) {
    return fmt::vformat(text, args);
}

std::string errno_text(int errno_value) {
    const char* text = strerrordesc_np(errno_value);
    return text != nullptr ? std::string(text) : format("error {}", errno_value);
}

}  // namespace ringmaster::base
