// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/reply_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "common/base/assert.h"

namespace ringmaster::proto::redis {
namespace {

constexpr std::string_view kEnd = "\r\n";

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end.ptr);
}

std::string_view name_of_special(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    return value > 0 ? "inf" : "-inf";
}

}  // namespace

void ReplyWriter::header(char kind, size_t count) {
    out_ += kind;
    append_number(out_, count);
    out_ += kEnd;
}

// A line ends at its first line break: none may come from what the caller quotes.
void ReplyWriter::line(char kind, std::string_view text) {
    out_ += kind;
    const size_t begin = out_.size();
    out_ += text;
    for (size_t i = begin; i < out_.size(); ++i) {
        if (out_[i] == '\r' || out_[i] == '\n') {
            out_[i] = ' ';
        }
    }
    out_ += kEnd;
}

void ReplyWriter::simple(std::string_view text) {
    line('+', text);
}

void ReplyWriter::error(std::string_view text) {
    line('-', text);
}

void ReplyWriter::integer(int64_t value) {
    out_ += ':';
    append_number(out_, value);
    out_ += kEnd;
}

void ReplyWriter::bulk(std::string_view bytes) {
    header('$', bytes.size());
    out_ += bytes;
    out_ += kEnd;
}

void ReplyWriter::null() {
    out_ += resp3_ ? "_\r\n" : "$-1\r\n";
}

void ReplyWriter::null_array() {
    out_ += resp3_ ? "_\r\n" : "*-1\r\n";
}

void ReplyWriter::boolean(bool value) {
    if (resp3_) {
        out_ += value ? "#t\r\n" : "#f\r\n";
    } else {
        integer(value ? 1 : 0);
    }
}

void ReplyWriter::number(double value) {
    std::string text;
    if (std::isfinite(value)) {
        append_number(text, value);
    } else {
        text = name_of_special(value);
    }
    if (resp3_) {
        line(',', text);
    } else {
        bulk(text);
    }
}

void ReplyWriter::big_number(std::string_view digits) {
    if (resp3_) {
        line('(', digits);
    } else {
        bulk(digits);
    }
}

void ReplyWriter::verbatim(std::string_view format, std::string_view text) {
    RM_ASSERT(format.size() == 3);
    if (!resp3_) {
        bulk(text);
        return;
    }
    header('=', format.size() + 1 + text.size());
    out_ += format;
    out_ += ':';
    out_ += text;
    out_ += kEnd;
}

void ReplyWriter::array(size_t elements) {
    header('*', elements);
}

void ReplyWriter::map(size_t pairs) {
    if (resp3_) {
        header('%', pairs);
    } else {
        header('*', 2 * pairs);
    }
}

void ReplyWriter::set(size_t elements) {
    header(resp3_ ? '~' : '*', elements);
}

}  // namespace ringmaster::proto::redis
