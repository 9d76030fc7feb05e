// SPDX-License-Identifier: Apache-2.0
// Who holds the places that client_connections leaves: one count per pool over all workers. Pure.
//
// Only the master decides, so the limit is exact however the kernel spreads connections over the
// workers; a worker that dies gives its places back. twemproxy: accepts client_connections and
// ignores it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/model.h"

namespace ringmaster::master {

class ClientLedger {
  public:
    // limits[pool] = places; 0 = no limit.
    ClientLedger(std::span<const uint32_t> limits, size_t slots);

    // A slot's worker goes by another config now: it holds `held` places by pool, whatever was said
    // before. False when that is not one number a pool.
    [[nodiscard]] bool hold(size_t slot, std::span<const uint32_t> held);
    static ClientLedger of(const config::Config& config, size_t slots);

    [[nodiscard]] size_t pool_count() const noexcept { return limits_.size(); }
    // True: the worker in `slot` now holds one more place of `pool`.
    [[nodiscard]] bool ask(size_t pool, size_t slot);
    // False when the slot does not hold that many (then nothing changes).
    [[nodiscard]] bool give_back(size_t pool, size_t slot, uint32_t count);
    // The worker in `slot` is dead.
    void give_back_all(size_t slot) noexcept;

    [[nodiscard]] uint64_t held(size_t pool) const noexcept;

  private:
    std::vector<uint32_t> limits_;
    std::vector<std::vector<uint32_t>> held_;  // by slot, then pool
};

}  // namespace ringmaster::master
