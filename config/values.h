// SPDX-License-Identifier: Apache-2.0
// Text of one value -> a member of the model.
//
// Pure. Every read_* leaves its target alone on failure and returns why; it never repeats the text
// itself, the caller does that where it is no secret. `text` is never empty (the caller refuses
// that first).
// Source: nutcracker's readers; what it accepts by accident is kept (README.md, Decisions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "config/model.h"

namespace ringmaster::config {

// Why a value was refused. An empty message means it was not.
struct Problem {
    std::string message;  // completes "bad value 'x' for 'key': ..."
    std::string hint;

    [[nodiscard]] bool none() const noexcept { return message.empty(); }
};

// Digits only, modulo 2^32; nothing when empty, not digits, or 2^31 or more after wrapping.
std::optional<uint32_t> parse_wrapping_number(std::string_view text) noexcept;

// Digits only, without wrapping; nothing when empty, not digits, or over `max`.
std::optional<uint64_t> parse_number(std::string_view text, uint64_t max) noexcept;

// Of a Unix socket: whether an address has room for it.
Problem check_socket_path(std::string_view path);

// Pool keys.
Problem read_number(std::string_view text, uint32_t& target);
Problem read_count(std::string_view text, uint32_t& target);  // a number, at least 1
Problem read_bool(std::string_view text, bool& target);
Problem read_secret(std::string_view text, std::string& target);
Problem read_hash(std::string_view text, const hash::HashRow*& target);
Problem read_hash_tag(std::string_view text, std::optional<std::pair<char, char>>& target);
Problem read_distribution(std::string_view text, ring::Distribution& target);
Problem read_cross_shard(std::string_view text, CrossShard& target);
Problem read_resp3(std::string_view text, Resp3& target);  // auto, on, off
Problem read_eject_mode(std::string_view text, health::EjectMode& target);
Problem read_percent(std::string_view text, uint32_t& target);     // 1 to 100
Problem read_switch(std::string_view text, bool& target);          // on, off
Problem read_readmit(std::string_view text, bool& flush);          // keep, flush
Problem read_version(std::string_view text, std::string& target);  // one printable word
Problem read_listen(std::string_view text, Address& target);
Problem read_server(std::string_view text, std::vector<ServerConfig>& target);  // appends

// Process keys.
Problem read_workers(std::string_view text, std::optional<uint32_t>& target);
Problem read_cpu_affinity(std::string_view text, bool& target);  // off, auto
Problem read_log_level(std::string_view text, std::optional<int>& target);
Problem read_port(std::string_view text, std::optional<uint16_t>& target);
Problem read_text(std::string_view text, std::optional<std::string>& target);
Problem read_path(std::string_view text, std::optional<std::string>& target);
Problem read_socket_path(std::string_view text, std::optional<std::string>& target);
Problem read_host_or_path(std::string_view text, std::optional<std::string>& target);
Problem read_milliseconds(std::string_view text, uint32_t& target);
Problem read_memory(std::string_view text, uint64_t& target);

}  // namespace ringmaster::config
