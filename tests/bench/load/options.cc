// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/options.h"

#include <cstdlib>

#include <CLI/CLI.hpp>

namespace bench {

Options parse_options(int count, char** words) {
    Options told;
    CLI::App app("Load for a server or proxy on 127.0.0.1; every reply is checked byte for byte.");
    app.add_option("--protocol", told.protocol, "redis, memcached (classic text) or meta")
        ->check(CLI::IsMember({"redis", "memcached", "meta"}));
    app.add_option("--port", told.ports, "several: the connections go to them in turn")->required();
    app.add_option("--connections", told.connections, "that send")->check(CLI::Range(1, 100000));
    app.add_option("--idle", told.idle, "more connections, that never send");
    app.add_option("--pipeline", told.pipeline,
                   "requests a connection sends at once before it waits for all their replies")
        ->check(CLI::Range(1, 10000000));
    app.add_option("--requests", told.requests, "exactly so many");
    app.add_option("--keys", told.keys, "different keys")->check(CLI::Range(1, 100000000));
    app.add_option("--size", told.sizes, "bytes of a value; several: each key has one of them")
        ->check(CLI::Range(0, 1 << 29));
    app.add_option("--zipf", told.zipf, "exponent of the keys' frequency; 0 is uniform");
    app.add_option("--gets", told.gets, "GETs to each round of SETs");
    app.add_option("--sets", told.sets, "SETs to each round of GETs");
    app.add_option("--width", told.width, "keys of a GET: MGET, or a get of several keys")
        ->check(CLI::Range(1, 10000000));
    app.add_option(
        "--rate", told.rate,
        "requests per second, as Poisson arrivals, whether replies come or not; latency\n"
        "counts from when a request was to leave. 0: send when the replies are there");
    app.add_option("--seed", told.seed, "of keys and arrivals");
    app.add_flag("--preload", told.preload, "SET every key once and end");
    app.add_flag("--stepwise", told.stepwise,
                 "say {\"ready\": true} when all is connected, send N requests per line 'N' of\n"
                 "stdin, say the result; end with stdin");
    try {
        app.parse(count, words);
        if (told.gets + told.sets == 0) {
            throw CLI::ValidationError("--gets and --sets are both 0");
        }
        if (told.width > 1 && told.protocol == "meta") {
            throw CLI::ValidationError("--width: a meta get has one key");
        }
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error));
    }
    if (told.preload) {
        told.requests = told.keys;
        told.gets = 0;
        told.sets = 1;
    }
    return told;
}

}  // namespace bench
