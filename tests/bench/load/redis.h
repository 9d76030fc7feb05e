// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/load/protocol.h"

namespace bench {

// GET, MGET and SET in RESP.
class Redis final : public Protocol {
  public:
    using Protocol::Protocol;

    void write(Request& request, std::string& out) const override;
    Step read(Request& request, std::string_view line, std::string_view& body) const override;

  private:
    void write_bulk(std::string_view bytes, std::string& out) const;
};

}  // namespace bench
