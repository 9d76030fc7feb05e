// SPDX-License-Identifier: Apache-2.0
// Counts what this process allocates: every malloc, calloc, realloc and aligned allocation and
// every operator new, also inside shared libraries.
//
// With a sanitizer by its hooks, as malloc is the sanitizer's own there; else by definitions of
// malloc and its kin in this executable that hand on to glibc's.
#pragma once

#include <cstdint>

namespace ringmaster::allocations {

enum class Explain : bool { kNo, kYes };

// From now on, from 0. With kYes the first few allocations print where they come from.
void start_counting(Explain explain);
// The number since start_counting().
uint64_t stop_counting();

}  // namespace ringmaster::allocations
