// SPDX-License-Identifier: Apache-2.0
// Inline commands: a line typed at telnet (`SET a "b c"`) becomes the same request in RESP.
//
// Pure. The line comes without its CR LF; RequestParser finds its end. The words are split as
// Redis splits them: blanks between words, "..." with \n \r \t \b \a \\ \" \xHH, '...' with \'; a
// closing quote must be followed by a blank or the end.
// Decided differently: a NUL byte is a byte like any other (Redis waits for ever behind one).
// Source: Redis 7 (processInlineBuffer, sdssplitargs), as observed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringmaster::proto::redis {

enum class InlineStatus : uint8_t {
    kRequest,
    kEmpty,          // no word: ignored without an answer
    kUnbalanced,     // quotes: a protocol error
    kCrossProtocol,  // a line of an HTTP request ("POST ...", "Host: ..."): close
};

// Appends the request to `resp` when it is one; else `resp` is as it was.
InlineStatus translate_inline(std::string_view line, std::string& resp);

}  // namespace ringmaster::proto::redis
