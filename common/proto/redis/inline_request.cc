// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/inline_request.h"

#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

bool is_blank(char byte) noexcept {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

int hex_digit(char byte) noexcept {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    const char lower = static_cast<char>(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char unescape(char byte) noexcept {
    switch (byte) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'b':
            return '\b';
        case 'a':
            return '\a';
        default:
            return byte;
    }
}

// Takes one word off the front of `line`, which does not begin with a blank. False: unbalanced.
class WordReader {
  public:
    explicit WordReader(std::string_view line) : line_(line) {}

    bool skip_blanks() noexcept {
        while (at_ < line_.size() && is_blank(line_[at_])) {
            ++at_;
        }
        return at_ < line_.size();
    }

    bool read(std::string& word) {
        while (at_ < line_.size() && !is_blank(line_[at_])) {
            const char byte = line_[at_++];
            if (byte == '"' || byte == '\'') {
                // The closing quote ends the word: a blank or the end must follow.
                return (byte == '"' ? read_double(word) : read_single(word)) &&
                       (at_ == line_.size() || is_blank(line_[at_]));
            }
            word.push_back(byte);
        }
        return true;
    }

  private:
    bool read_double(std::string& word) {
        while (at_ < line_.size()) {
            const char byte = line_[at_++];
            if (byte == '"') {
                return true;
            }
            if (byte != '\\' || at_ == line_.size()) {
                word.push_back(byte);
                continue;
            }
            const size_t left = line_.size() - at_;
            if (line_[at_] == 'x' && left >= 3 && hex_digit(line_[at_ + 1]) >= 0 &&
                hex_digit(line_[at_ + 2]) >= 0) {
                word.push_back(
                    static_cast<char>(hex_digit(line_[at_ + 1]) * 16 + hex_digit(line_[at_ + 2])));
                at_ += 3;
                continue;
            }
            word.push_back(unescape(line_[at_++]));
        }
        return false;
    }

    bool read_single(std::string& word) {
        while (at_ < line_.size()) {
            const char byte = line_[at_++];
            if (byte == '\'') {
                return true;
            }
            if (byte == '\\' && at_ < line_.size() && line_[at_] == '\'') {
                word.push_back('\'');
                ++at_;
                continue;
            }
            word.push_back(byte);
        }
        return false;
    }

    std::string_view line_;
    size_t at_ = 0;
};

}  // namespace

InlineStatus translate_inline(std::string_view line, std::string& resp) {
    WordReader reader(line);
    std::string arguments;
    std::string word;
    size_t count = 0;
    while (reader.skip_blanks()) {
        word.clear();
        if (!reader.read(word)) {
            return InlineStatus::kUnbalanced;
        }
        if (count == 0 &&
            (equal_ignoring_case(word, "post") || equal_ignoring_case(word, "host:"))) {
            return InlineStatus::kCrossProtocol;
        }
        ++count;
        arguments += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    if (count == 0) {
        return InlineStatus::kEmpty;
    }
    resp += "*" + std::to_string(count) + "\r\n" + arguments;
    return InlineStatus::kRequest;
}

}  // namespace ringmaster::proto::redis
