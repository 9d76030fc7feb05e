// SPDX-License-Identifier: Apache-2.0
// The line that CLIENT LIST and CLIENT INFO have for a connection.
//
// Fields and order of Redis 7.0, with lib-name and lib-ver behind them as in 7.2. What a proxy has
// nothing to say about is zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringmaster::proto::redis {

struct ClientFacts {
    uint64_t id = 0;
    std::string address;        // "1.2.3.4:5", "/path:0"
    std::string local_address;  // the same
    bool is_unix = false;
    int fd = -1;
    std::string_view name;
    uint64_t age_s = 0;
    uint64_t idle_s = 0;
    bool no_evict = false;
    uint32_t database = 0;
    size_t input_bytes = 0;
    size_t unsent_replies = 0;
    size_t unsent_bytes = 0;
    size_t memory_bytes = 0;
    std::string_view command;  // "client|list"; empty: not known
    uint8_t protocol = 2;
    std::string_view lib_name;
    std::string_view lib_version;
};

// Ends with a line feed.
std::string client_line(const ClientFacts& client);

}  // namespace ringmaster::proto::redis
