// SPDX-License-Identifier: Apache-2.0
// How many clients one worker may hold below its limit of open descriptors. Pure.
//
// A worker that runs out of descriptors could not open connections to servers, and clients that are
// already there would get errors; so what a worker needs for itself is set aside first.
#pragma once

#include <cstdint>

#include "config/model.h"

namespace ringmaster::config {

// Standard streams, log, control channel and the loop take about a dozen. The rest is for what
// comes and goes: connections that are being replaced, listeners of another slot, descriptors in
// flight from the master.
inline constexpr uint64_t kReservedDescriptors = 64;

// Connections to servers that one worker may open: all pools, servers x server_connections.
uint64_t server_connections_per_worker(const Config& config) noexcept;

// 0 when not one fits.
uint64_t clients_that_fit(uint64_t descriptor_limit, uint64_t server_connections,
                          uint64_t listeners) noexcept;

}  // namespace ringmaster::config
