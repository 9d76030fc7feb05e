// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/load/protocol.h"

namespace bench {

// get of one or several keys, and set, in classic text. The values of several keys may come in any
// order.
class Memcached final : public Protocol {
  public:
    using Protocol::Protocol;

    void write(Request& request, std::string& out) const override;
    Step read(Request& request, std::string_view line, std::string_view& body) const override;
};

// mg and ms. They have one key each.
class Meta final : public Protocol {
  public:
    using Protocol::Protocol;

    void write(Request& request, std::string& out) const override;
    Step read(Request& request, std::string_view line, std::string_view& body) const override;
};

}  // namespace bench
