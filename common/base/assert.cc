// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace ringmaster::base {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "ringmaster: %s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}

}  // namespace ringmaster::base
