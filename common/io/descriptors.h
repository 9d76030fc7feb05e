// SPDX-License-Identifier: Apache-2.0
// This process's descriptors as a whole.
#pragma once

#include <cstdint>

namespace ringmaster::io {

// The limit of open descriptors in force now (the soft one).
uint64_t descriptor_limit() noexcept;

// Closes `first` and everything above it: what whoever started us left open.
void close_descriptors_from(int first) noexcept;

}  // namespace ringmaster::io
