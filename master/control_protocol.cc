// SPDX-License-Identifier: Apache-2.0
#include "master/control_protocol.h"

#include <algorithm>

#include "common/base/format.h"

namespace ringmaster::master {

namespace {

using base::format;

constexpr std::string_view kMagic = "ringmaster/";
constexpr std::string_view kHead = "ringmaster/1 ";
constexpr size_t kDigitsMax = 8;

// Takes a number and the byte behind it off `bytes`.
ControlParse take_number(std::string_view& bytes, char end, size_t& number) {
    number = 0;
    for (size_t i = 0; i < bytes.size() && i <= kDigitsMax; ++i) {
        if (bytes[i] == end && i > 0) {
            bytes.remove_prefix(i + 1);
            return ControlParse::kDone;
        }
        if (bytes[i] < '0' || bytes[i] > '9') {
            return ControlParse::kBad;
        }
        number = number * 10 + static_cast<size_t>(bytes[i] - '0');
    }
    return bytes.size() > kDigitsMax ? ControlParse::kBad : ControlParse::kNeedMore;
}

ControlParse take_head(std::string_view& bytes) {
    const size_t seen = std::min(bytes.size(), kHead.size());
    if (bytes.substr(0, seen) != kHead.substr(0, seen)) {
        return ControlParse::kBad;
    }
    bytes.remove_prefix(seen);
    return seen == kHead.size() ? ControlParse::kDone : ControlParse::kNeedMore;
}

}  // namespace

ControlAnswer control_failure(std::string_view problem) {
    return {.code = 1, .out = {}, .err = format("ringmaster: {}\n", problem)};
}

std::string printable(std::string_view text, size_t max_bytes) {
    std::string safe(text.substr(0, max_bytes));
    std::replace_if(
        safe.begin(), safe.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return safe;
}

std::string write_request(const std::vector<std::string>& words) {
    std::string bytes = format("{}{}\n", kHead, words.size());
    for (const std::string& word : words) {
        bytes += format("{}:", word.size());
        bytes += word;
    }
    return bytes;
}

ControlParse parse_request(std::string_view bytes, std::vector<std::string>& words,
                           std::string& problem) {
    problem = "this is no request of a ringmaster command";
    if (const ControlParse head = take_head(bytes); head != ControlParse::kDone) {
        if (head == ControlParse::kBad && bytes.starts_with(kMagic)) {
            problem = "the proxy speaks another version of the control protocol";
        }
        return head;
    }
    size_t count = 0;
    if (const ControlParse line = take_number(bytes, '\n', count); line != ControlParse::kDone) {
        return line;
    }
    if (count == 0 || count > kRequestWordsMax) {
        return ControlParse::kBad;
    }
    words.clear();
    while (words.size() < count) {
        size_t length = 0;
        if (const ControlParse prefix = take_number(bytes, ':', length);
            prefix != ControlParse::kDone) {
            return prefix;
        }
        if (length > kRequestBytesMax) {
            problem = "the request is too long";
            return ControlParse::kBad;
        }
        if (bytes.size() < length) {
            return ControlParse::kNeedMore;
        }
        words.emplace_back(bytes.substr(0, length));
        bytes.remove_prefix(length);
    }
    return bytes.empty() ? ControlParse::kDone : ControlParse::kBad;
}

std::string write_answer(const ControlAnswer& answer) {
    return format("{}{} {} {}\n", kHead, answer.code, answer.out.size(), answer.err.size()) +
           answer.out + answer.err;
}

ControlParse parse_answer(std::string_view bytes, ControlAnswer& answer) {
    size_t numbers[3] = {};
    if (const ControlParse head = take_head(bytes); head != ControlParse::kDone) {
        return head;
    }
    for (size_t i = 0; i < 3; ++i) {
        const ControlParse number = take_number(bytes, i == 2 ? '\n' : ' ', numbers[i]);
        if (number != ControlParse::kDone) {
            return number;
        }
    }
    const auto [code, out, err] = numbers;
    if (code > 1 || out > kAnswerBytesMax || err > kAnswerBytesMax || bytes.size() > out + err) {
        return ControlParse::kBad;
    }
    if (bytes.size() < out + err) {
        return ControlParse::kNeedMore;
    }
    answer.code = static_cast<int>(code);
    answer.out = bytes.substr(0, out);
    answer.err = bytes.substr(out);
    return ControlParse::kDone;
}

}  // namespace ringmaster::master
