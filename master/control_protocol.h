// SPDX-License-Identifier: Apache-2.0
// What a command and the running proxy say to each other over the control socket. Pure.
//
//   request  "ringmaster/1 COUNT\n" and COUNT words, each "LENGTH:" and so many bytes of any value
//   answer   "ringmaster/1 CODE OUT ERR\n" and OUT bytes for stdout, ERR bytes for stderr
//
// One of each per connection. Numbers are decimal. A later version is another number behind the
// slash; who meets one he does not know says so. Untrusted input on both sides.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::master {

inline constexpr size_t kRequestBytesMax = 65536;
inline constexpr size_t kRequestWordsMax = 16;
inline constexpr size_t kAnswerBytesMax = size_t{64} << 20;

struct ControlAnswer {
    int code = 0;     // exit code of the command, 0 or 1
    std::string out;  // for stdout; lines, each with its end
    std::string err;  // for stderr; the same

    bool operator==(const ControlAnswer&) const = default;
};

// The answer to something that went wrong: one line.
ControlAnswer control_failure(std::string_view problem);

// Without control bytes (one line stays one), at most so long.
std::string printable(std::string_view text, size_t max_bytes);

enum class ControlParse { kDone, kNeedMore, kBad };

std::string write_request(const std::vector<std::string>& words);
// `bytes` is everything that has come. kBad: `problem` says why.
ControlParse parse_request(std::string_view bytes, std::vector<std::string>& words,
                           std::string& problem);

std::string write_answer(const ControlAnswer& answer);
ControlParse parse_answer(std::string_view bytes, ControlAnswer& answer);

}  // namespace ringmaster::master
