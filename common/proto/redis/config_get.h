// SPDX-License-Identifier: Apache-2.0
// CONFIG GET: the settings that clients ask servers for, with what holds for all servers behind a
// proxy. Any other name is as if it did not exist.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/proto/redis/reply_writer.h"

namespace ringmaster::proto::redis {

// `patterns`: names or patterns, any case; each setting comes once. As by a server, a setting that
// was asked for by name has its name as it was written. `databases` is how many SELECT may name.
void write_config(std::span<const std::string_view> patterns, uint32_t databases,
                  ReplyWriter& writer);

}  // namespace ringmaster::proto::redis
