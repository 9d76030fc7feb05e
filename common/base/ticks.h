// SPDX-License-Identifier: Apache-2.0
// The processor's tick counter: one instruction, for "has about this long passed?" only.
//
// It runs on while a process is stopped. Its frequency is not known: compare with a number of ticks
// that is short on any machine, and ask a clock when more have passed. Where there is no such
// counter ticks() always says that more have passed.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace ringmaster::base {

// 4 ms at 5 GHz, 20 ms at 1 GHz.
inline constexpr uint64_t kTicksOfAFewMs = 20000000;
// 0.4 ms at 5 GHz, 2 ms at 1 GHz.
inline constexpr uint64_t kTicksOfAMs = 2000000;

inline uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    static thread_local uint64_t count = 0;
    return count += kTicksOfAFewMs + 1;
#endif
}

}  // namespace ringmaster::base
