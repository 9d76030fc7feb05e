// SPDX-License-Identifier: Apache-2.0
// Which libuv this process runs with.
#pragma once

namespace ringmaster::io {

// As "1.44.2": the library that was loaded, not the one whose header was compiled against.
const char* libuv_version() noexcept;

}  // namespace ringmaster::io
