// SPDX-License-Identifier: Apache-2.0
// Patterns as Redis has them: * ? [a-z] [^a] \x.
#pragma once

#include <string_view>

namespace ringmaster::proto::redis {

// True when all of `text` fits `pattern`; ASCII letters of both cases are the same. Takes time in
// proportion to the product of both lengths at most. An open '[' goes to the pattern's end.
bool fits_pattern(std::string_view pattern, std::string_view text) noexcept;

// It has one of * ? [, and so may fit more than one text.
bool is_pattern(std::string_view text) noexcept;

}  // namespace ringmaster::proto::redis
