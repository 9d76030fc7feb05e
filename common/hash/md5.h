// SPDX-License-Identifier: Apache-2.0
// MD5, for ring points and the `md5` key hash. Not for anything that has to be secure.
//
// Pure, no allocation. Source: RFC 1321.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ringmaster::hash {

std::array<uint8_t, 16> md5(std::string_view text) noexcept;

}  // namespace ringmaster::hash
