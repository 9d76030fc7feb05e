// SPDX-License-Identifier: Apache-2.0
// How far a parser came. All four parsers (requests and replies of both protocols) share it.
//
// The common contract of their parse(begin, size) call: `begin` is always the first byte of the
// message, `size` all bytes of it that have arrived so far (plus whatever follows); a parser
// remembers its position and never rescans what it has accepted. The bytes may move between calls,
// they may not change.
#pragma once

#include <cstdint>

namespace ringmaster::proto {

enum class ParseStatus : uint8_t {
    kDone,      // one whole message; position() is its length
    kNeedMore,  // bytes_needed() says how many bytes at least, counted from begin
    kBad,       // not the protocol: framing is lost, the connection cannot go on
    kTooBig,    // a length beyond our limits: as kBad, with another text
};

}  // namespace ringmaster::proto
