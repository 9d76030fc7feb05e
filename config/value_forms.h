// SPDX-License-Identifier: Apache-2.0
// What each reader of values.h takes, in words: for error messages, hints and the manual page, so
// that the three cannot tell different things.
//
// form_<reader>() completes "takes ...". A key whose reader has none does not compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ringmaster::config {

inline constexpr uint32_t kMaxNumber = 0x7fffffff;
inline constexpr uint32_t kMaxWorkers = 1024;
inline constexpr uint32_t kMaxPercent = 100;
inline constexpr uint32_t kMaxPort = 65535;
inline constexpr size_t kMaxVersionBytes = 32;
inline constexpr size_t kMaxUnixPathBytes = 107;  // sun_path less its terminator
// With its colon. A login that is longer would be refused before it is read.
inline constexpr size_t kMaxMemcachedAuthBytes = 1024;
inline constexpr uint64_t kMaxLogLevel = 11;
inline constexpr uint64_t kMinMemoryBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 50;

// One of two.
struct Choice {
    std::string first;
    std::string second;

    [[nodiscard]] std::string either() const { return first + " or " + second; }
    [[nodiscard]] std::string neither() const { return "neither " + first + " nor " + second; }
};
Choice choice_bool();
Choice choice_switch();
Choice choice_cross_shard();
Choice choice_eject_mode();
Choice choice_readmit();
Choice choice_workers();
Choice choice_cpu_affinity();
Choice choice_listen();
Choice choice_server();

// Pool keys.
std::string form_number();
std::string form_count();
std::string form_bool();
std::string form_secret();
std::string form_hash();
std::string form_hash_tag();
std::string form_distribution();
std::string form_cross_shard();
std::string form_resp3();
std::string form_eject_mode();
std::string form_percent();
std::string form_switch();
std::string form_readmit();
std::string form_version();
std::string form_listen();
std::string form_server();

// Process keys.
std::string form_workers();
std::string form_cpu_affinity();
std::string form_log_level();
std::string form_port();
std::string form_text();
std::string form_path();
std::string form_socket_path();
std::string form_host_or_path();
std::string form_milliseconds();
std::string form_memory();

}  // namespace ringmaster::config
