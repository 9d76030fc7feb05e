// SPDX-License-Identifier: Apache-2.0
// Text as the manual pages need it: mdoc(7) source. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ringmaster::man {

// For the arguments of a macro line: nothing in it means anything to roff or mdoc.
std::string escape_argument(std::string_view text);

// Running text: escaped, one sentence or less a line, as mandoc wants it; ends with a newline.
std::string paragraph(std::string_view text);

}  // namespace ringmaster::man
