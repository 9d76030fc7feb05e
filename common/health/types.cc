// SPDX-License-Identifier: Apache-2.0
#include "common/health/types.h"

#include <algorithm>
#include <cerrno>

namespace ringmaster::health {

uint64_t retry_ms(const Settings& settings) noexcept {
    return std::max<uint64_t>(settings.retry_timeout_ms, kRetryMinMs);
}

size_t max_ejected(const Settings& settings, size_t server_count) noexcept {
    if (settings.mode == EjectMode::kHold || mutated(settings, Mutation::kNoFloor)) {
        return server_count;
    }
    if (server_count <= 1) {
        return 0;
    }
    const size_t cap = server_count * std::min<size_t>(settings.max_ejection_percent, 100) / 100;
    return std::min(server_count - 1, std::max<size_t>(1, cap));
}

bool counts_as_failure(int cause) noexcept {
    switch (cause) {
        case kServerClosed:
        case EINVAL:
        case EPROTO:
        case ECONNREFUSED:
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENOENT:
        case EAGAIN:
            return true;
        default:
            return false;
    }
}

bool fails_quickly(int cause) noexcept {
    return cause == ECONNREFUSED || cause == ENOENT || cause == ECONNRESET || cause == EPIPE ||
           cause == EAGAIN || cause == kServerClosed;
}

}  // namespace ringmaster::health
