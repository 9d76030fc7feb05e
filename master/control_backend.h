// SPDX-License-Identifier: Apache-2.0
// What the commands of the control socket do in this master.
//
// Everything is borrowed and outlives this. Orders that are the master's own (stop, log level,
// reload) are its functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "config/model.h"
#include "master/control_commands.h"
#include "master/health_keeper.h"
#include "master/rate_keeper.h"
#include "master/reload_sequence.h"
#include "master/status_report.h"
#include "master/supervisor.h"

namespace ringmaster::master {

// The master as the commands see it.
struct ControlParts {
    io::Loop& loop;
    Supervisor& supervisor;
    HealthKeeper& health;
    std::function<io::SocketAddress(size_t pool, size_t shard)> address;  // empty = not resolved
    std::function<const config::Config&()> config;                        // the one in force
    std::function<uint64_t()> generation;
    std::function<bool()> stopping;
    std::function<void(bool drain)> stop;
    std::function<void(int level)> set_log_level;
    std::function<void(ReloadSequence::OnDone on_done)> reload;
    std::function<int64_t()> reloads_done;
    std::function<int64_t()> reloads_failed;
    std::string config_file;
};

class MasterControl : public ControlBackend {
  public:
    explicit MasterControl(ControlParts parts);

    // Every RateKeeper::kPeriodMs.
    void take_sample();
    // One line: "serving: 4 workers, 2 pools".
    [[nodiscard]] std::string summary() const;

    void reload(OnAnswer on_answer) override;
    ControlAnswer stop(bool drain) override;
    void status(bool json, OnAnswer on_answer) override;
    ControlAnswer where(const std::string& pool, const std::string& key) override;
    ControlAnswer eject(const std::string& pool, const std::string& server) override;
    ControlAnswer readmit(const std::string& pool, const std::string& server) override;
    ControlAnswer set_log_level(int level) override;

  private:
    struct Place {
        size_t pool = 0;
        size_t shard = 0;
    };

    [[nodiscard]] base::Result<size_t> find_pool(const std::string& name) const;
    [[nodiscard]] base::Result<Place> find_server(const std::string& pool,
                                                  const std::string& server) const;
    [[nodiscard]] StatusReport report() const;
    [[nodiscard]] PoolStatus pool_status(size_t pool, const stats::PoolSnapshot& counters) const;
    [[nodiscard]] std::string server_line(size_t pool, uint32_t shard) const;

    ControlParts parts_;
    const uint64_t born_ms_;
    RateKeeper rates_;
    uint64_t rates_generation_ = 0;  // servers' places mean something else in another one
};

}  // namespace ringmaster::master
