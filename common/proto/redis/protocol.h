// SPDX-License-Identifier: Apache-2.0
// The two versions of Redis' protocol. Requests are the same in both; replies are not.
#pragma once

#include <cstdint>

namespace ringmaster::proto::redis {

enum class Protocol : uint8_t { kResp2 = 2, kResp3 = 3 };

}  // namespace ringmaster::proto::redis
