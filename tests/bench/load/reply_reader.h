// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tests/bench/load/protocol.h"

namespace bench {

// Compares what arrives with what has to, in pieces as they come. Values are compared where they
// lie; only a line that is cut is kept.
class ReplyReader {
  public:
    enum class Result { kMore, kDone, kWrong };

    // Takes the next bytes of `request`'s reply from the front of `bytes`. kMore: all were taken.
    // kDone: the reply is complete, the rest belongs to the next one. kWrong: the reply is not the
    // right one; complaint() tells what came.
    Result read(const Protocol& protocol, Request& request, std::string_view& bytes);

    [[nodiscard]] const std::string& complaint() const { return line_; }

  private:
    Result wrong(std::string_view seen);

    std::string line_;
    std::string_view body_;
    bool body_is_last_ = false;
};

}  // namespace bench
