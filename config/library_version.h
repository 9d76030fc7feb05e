// SPDX-License-Identifier: Apache-2.0
// Which libyaml this process runs with.
#pragma once

namespace ringmaster::config {

// As "0.2.5": the library that was loaded, not the one whose header was compiled against.
const char* libyaml_version() noexcept;

}  // namespace ringmaster::config
