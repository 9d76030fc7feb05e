// SPDX-License-Identifier: Apache-2.0
// What words.h says and answers in memcached's meta and binary protocols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/worker/allocations/words.h"

namespace ringmaster::allocations {

void say_meta(uint32_t number, uint32_t index, Conversation& conversation);
void say_binary(uint32_t number, uint32_t index, Conversation& conversation);

// The bytes of the request at the front of `text`, whose first line is `line`; its reply is
// appended. 0: not whole yet; npos: no request of ours.
size_t answer_meta(std::string_view text, std::string_view line, std::string& output);

}  // namespace ringmaster::allocations
