// SPDX-License-Identifier: Apache-2.0
// The tables of the program as mdoc lists: what stands for @NAME@ in a template.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringmaster::man {

// POOL_KEYS, PROCESS_KEYS, POOL_STATS, POOL_STATS_OWN, SERVER_STATS, VERSION and CONTROL_PATH;
// nothing for any other name.
std::optional<std::string> expand(std::string_view name);

}  // namespace ringmaster::man
