// SPDX-License-Identifier: Apache-2.0
#include "worker/reload_map.h"

#include <string>

#include <doctest/doctest.h>

#include "config/load.h"

namespace ringmaster::worker {
namespace {

using config::Config;
using Targets = std::vector<uint32_t>;
using Moves = std::vector<ServerMove>;

// Pools stand in the order of their names' length, then bytewise: tests name them so.
Config load(const std::string& text) {
    config::LoadResult result = config::load(text, config::LoadOptions{});
    REQUIRE(result.config);
    return std::move(*result.config);
}

std::string pool(const std::string& name, const std::string& listen,
                 const std::vector<std::string>& servers, const std::string& more = "") {
    std::string text =
        name + ":\n  listen: " + listen + "\n  redis: true\n" + more + "  servers:\n";
    for (const std::string& server : servers) {
        text += "    - " + server + "\n";
    }
    return text;
}

const std::string kOne = "127.0.0.1:1001";
const std::string kTwo = "127.0.0.1:1002";
const std::string kThree = "127.0.0.1:1003";

Moves moves(const Config& from, const Config& to) {
    return map_servers(from, to, map_pools(from, to));
}

}  // namespace

TEST_CASE("reload map: a pool that stays is its own successor, wherever it stands") {
    const Config from = load(pool("b", kOne, {"h:1:1"}) + pool("c", kTwo, {"h:1:1"}));
    const Config to = load(pool("a", kThree, {"h:1:1"}) + pool("b", kOne, {"h:1:1"}) +
                           pool("c", kTwo, {"h:1:1"}));
    CHECK(map_pools(from, to) == Targets{1, 2});
    CHECK(map_pools(to, from) == Targets{kNoPool, 0, 1});
}

TEST_CASE("reload map: clients follow the address before the name") {
    const Config from = load(pool("a", kOne, {"h:1:1"}) + pool("b", kTwo, {"h:1:1"}));
    const Config swapped = load(pool("a", kTwo, {"h:1:1"}) + pool("b", kOne, {"h:1:1"}));
    CHECK(map_pools(from, swapped) == Targets{1, 0});
    const Config renamed = load(pool("z", kOne, {"h:1:1"}) + pool("b", kTwo, {"h:1:1"}));
    CHECK(map_pools(from, renamed) == Targets{1, 0});  // b comes before z
    const Config moved = load(pool("a", kThree, {"h:1:1"}));
    CHECK(map_pools(from, moved) == Targets{0, kNoPool});
}

TEST_CASE("reload map: two pools may become one") {
    const Config from = load(pool("a", kOne, {"h:1:1"}) + pool("b", kTwo, {"h:1:1"}));
    const Config to = load(pool("b", kOne, {"h:1:1"}));
    CHECK(map_pools(from, to) == Targets{0, 0});
}

TEST_CASE("reload map: the mode of a Unix socket does not make it another address") {
    const Config from = load(pool("a", "/tmp/x 0600", {"h:1:1"}));
    CHECK(map_pools(from, load(pool("b", "/tmp/x 0666", {"h:1:1"}))) == Targets{0});
    CHECK(map_pools(from, load(pool("b", "/tmp/y 0600", {"h:1:1"}))) == Targets{kNoPool});
}

TEST_CASE("reload map: another port, or another host, is another address") {
    const Config from = load(pool("a", kOne, {"h:1:1"}));
    CHECK(map_pools(from, load(pool("b", "127.0.0.2:1001", {"h:1:1"}))) == Targets{kNoPool});
    CHECK(map_pools(from, load(pool("b", kTwo, {"h:1:1"}))) == Targets{kNoPool});
}

TEST_CASE("reload map: servers that stay are matched by name and address") {
    const Config from = load(pool("a", kOne, {"h:1:1 x", "h:2:1 y", "h:3:1 z"}));
    const Config to = load(pool("a", kOne, {"h:2:5 y", "h:4:1 w", "h:9:1 z"}));
    // Sorted: w y z. z lives elsewhere, x is gone; another weight changes nothing.
    CHECK(moves(from, to) == Moves{{0, 1, 0, 1}});
}

TEST_CASE("reload map: a renamed server is the same, but a namesake has the first say") {
    const Config from = load(pool("a", kOne, {"h:1:1 x"}));
    CHECK(moves(from, load(pool("a", kOne, {"h:1:1 y"}))) == Moves{{0, 0, 0, 0}});
    const Config twins = load(pool("a", kOne, {"h:1:1 x", "h:1:1 y"}));
    const Config turned = load(pool("a", kOne, {"h:1:1 w", "h:1:1 y"}));
    CHECK(moves(twins, turned) == Moves{{0, 1, 0, 1}, {0, 0, 0, 0}});
}

TEST_CASE("reload map: another protocol, password or database is another server") {
    const Config from = load(pool("a", kOne, {"h:1:1"}));
    CHECK(moves(from, from).size() == 1);
    CHECK(moves(from, load(pool("a", kOne, {"h:1:1"}, "  redis_auth: x\n"))).empty());
    CHECK(moves(from, load(pool("a", kOne, {"h:1:1"}, "  redis_db: 3\n"))).empty());
    CHECK(moves(from, load("a:\n  listen: " + kOne + "\n  servers:\n    - h:1:1\n")).empty());
}

TEST_CASE("reload map: connections go where the clients of their pool go") {
    const Config from = load(pool("a", kOne, {"h:1:1"}) + pool("b", kTwo, {"h:1:1"}));
    const Config swapped = load(pool("a", kTwo, {"h:1:1"}) + pool("b", kOne, {"h:1:1"}));
    const Moves found = moves(from, swapped);
    CHECK(found == Moves{{0, 0, 1, 0}, {1, 0, 0, 0}});
    CHECK(moves(from, load(pool("c", kThree, {"h:1:1"}))).empty());  // nobody goes there
}

TEST_CASE("reload map: of two pools that become one, the namesake's connections go on") {
    const Config from = load(pool("a", kOne, {"h:1:1", "h:2:1"}) + pool("b", kTwo, {"h:1:1"}));
    const Config to = load(pool("b", kOne, {"h:1:1", "h:2:1"}));
    CHECK(moves(from, to) == Moves{{1, 0, 0, 0}, {0, 1, 0, 1}});
}

}  // namespace ringmaster::worker
