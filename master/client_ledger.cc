// SPDX-License-Identifier: Apache-2.0
#include "master/client_ledger.h"

#include "common/base/assert.h"

namespace ringmaster::master {

ClientLedger::ClientLedger(std::span<const uint32_t> limits, size_t slots)
    : limits_(limits.begin(), limits.end()),
      held_(slots, std::vector<uint32_t>(limits.size(), 0)) {}

ClientLedger ClientLedger::of(const config::Config& config, size_t slots) {
    std::vector<uint32_t> limits;
    for (const config::PoolConfig& pool : config.pools) {
        limits.push_back(pool.client_connections);
    }
    return {limits, slots};
}

uint64_t ClientLedger::held(size_t pool) const noexcept {
    uint64_t sum = 0;  // what workers say they hold may be anything
    for (const std::vector<uint32_t>& of_slot : held_) {
        sum += of_slot[pool];
    }
    return sum;
}

bool ClientLedger::ask(size_t pool, size_t slot) {
    RM_ASSERT(pool < limits_.size());
    if (limits_[pool] != 0 && held(pool) >= limits_[pool]) {
        return false;
    }
    ++held_[slot][pool];
    return true;
}

bool ClientLedger::give_back(size_t pool, size_t slot, uint32_t count) {
    RM_ASSERT(pool < limits_.size());
    if (held_[slot][pool] < count) {
        return false;
    }
    held_[slot][pool] -= count;
    return true;
}

bool ClientLedger::hold(size_t slot, std::span<const uint32_t> held) {
    if (held.size() != limits_.size()) {
        return false;
    }
    held_[slot].assign(held.begin(), held.end());
    return true;
}

void ClientLedger::give_back_all(size_t slot) noexcept {
    held_[slot].assign(limits_.size(), 0);
}

}  // namespace ringmaster::master
