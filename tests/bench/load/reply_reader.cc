// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/reply_reader.h"

#include <algorithm>
#include <cstring>

namespace bench {

ReplyReader::Result ReplyReader::wrong(std::string_view seen) {
    constexpr std::size_t kShown = 120;
    line_ = seen.substr(0, kShown);
    return Result::kWrong;
}

ReplyReader::Result ReplyReader::read(const Protocol& protocol, Request& request,
                                      std::string_view& bytes) {
    for (;;) {
        if (!body_.empty()) {
            const std::size_t size = std::min(body_.size(), bytes.size());
            if (std::memcmp(body_.data(), bytes.data(), size) != 0) {
                return wrong(bytes);
            }
            body_.remove_prefix(size);
            bytes.remove_prefix(size);
            if (!body_.empty()) {
                return Result::kMore;
            }
            if (body_is_last_) {
                return Result::kDone;
            }
        }
        const std::size_t end = bytes.find('\n');
        if (end == std::string_view::npos) {
            line_.append(bytes);
            bytes = {};
            return Result::kMore;
        }
        std::string_view line = bytes.substr(0, end + 1);
        bytes.remove_prefix(end + 1);
        if (!line_.empty()) {
            line_.append(line);
            line = line_;
        }
        if (line.size() < 2 || line[line.size() - 2] != '\r') {
            return wrong(line);
        }
        line.remove_suffix(2);
        const Step step = protocol.read(request, line, body_);
        if (step == Step::kWrong) {
            return wrong(std::string(line));
        }
        line_.clear();
        if (step == Step::kDone) {
            return Result::kDone;
        }
        body_is_last_ = step == Step::kLastBody;
        if (step == Step::kLine) {
            body_ = {};
        }
    }
}

}  // namespace bench
