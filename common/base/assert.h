// SPDX-License-Identifier: Apache-2.0
// Assertions that stay on in production.
//
// RM_ASSERT        a bug if false: prints the condition and aborts (a worker is respawned).
// RM_DEBUG_ASSERT  the same for expensive conditions; only in debug, sanitizer, fuzz and sim
// builds.
//
// Never assert on bytes that came from a socket, not even the control socket: those are handled.
#pragma once

namespace ringmaster::base {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace ringmaster::base

#define RM_ASSERT(condition)                                                      \
    do {                                                                          \
        if (__builtin_expect(!(condition), 0)) {                                  \
            ::ringmaster::base::assertion_failed(#condition, __FILE__, __LINE__); \
        }                                                                         \
    } while (false)

#ifdef RM_EXPENSIVE_CHECKS
#define RM_DEBUG_ASSERT(condition) RM_ASSERT(condition)
#else
// Not evaluated, but what it names counts as used.
#define RM_DEBUG_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif
