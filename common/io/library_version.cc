// SPDX-License-Identifier: Apache-2.0
#include "common/io/library_version.h"

#include <uv.h>

namespace ringmaster::io {

const char* libuv_version() noexcept {
    return uv_version_string();
}

}  // namespace ringmaster::io
