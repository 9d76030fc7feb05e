// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// What the command line says; -h of bench_load explains each.
struct Options {
    std::string protocol = "redis";
    std::vector<std::uint16_t> ports = {};
    std::uint32_t connections = 50;
    std::uint32_t idle = 0;
    std::uint32_t pipeline = 1;
    std::uint64_t requests = 100000;
    std::uint32_t keys = 20000;
    std::vector<std::uint32_t> sizes = {32};
    double zipf = 0;
    std::uint32_t gets = 10;
    std::uint32_t sets = 1;
    std::uint32_t width = 1;
    double rate = 0;
    std::uint64_t seed = 1;
    bool preload = false;
    bool stepwise = false;
};

// Ends the process with what is wrong, or with the help that was asked for.
Options parse_options(int count, char** words);

}  // namespace bench
