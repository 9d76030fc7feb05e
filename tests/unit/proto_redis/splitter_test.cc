// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/splitter.h"

#include <string>
#include <vector>

#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

using Arguments = std::vector<std::string>;
using Indices = std::vector<uint32_t>;

// The first byte of a key is its shard; 'x' has none.
uint32_t shard_of(std::string_view key) {
    return key[0] == 'x' ? Splitter::kNoShard : static_cast<uint32_t>(key[0] - '0');
}

std::string written(const Splitter& splitter, size_t index) {
    std::string out;
    splitter.write(index, out);
    CHECK(out.size() == splitter.fragments()[index].size_bytes);
    return out;
}

Indices plan_of(const Splitter& splitter) {
    return {splitter.fragment_of_key().begin(), splitter.fragment_of_key().end()};
}

TEST_CASE("splitter: MGET gives one fragment a shard, in shard order, keys in request order") {
    const std::string bytes = request_of(Arguments{"MGET", "7a", "2b", "7c", "2b", "0d"});
    Splitter splitter;
    splitter.plan(view_of(bytes), 10, shard_of);
    REQUIRE(splitter.fragments().size() == 3);
    CHECK(splitter.fragments()[0].shard == 0);
    CHECK(splitter.fragments()[1].shard == 2);
    CHECK(splitter.fragments()[2].shard == 7);
    CHECK(splitter.fragments()[1].key_count == 2);
    CHECK(written(splitter, 0) == request_of(Arguments{"mget", "0d"}));
    CHECK(written(splitter, 1) == request_of(Arguments{"mget", "2b", "2b"}));
    CHECK(written(splitter, 2) == request_of(Arguments{"mget", "7a", "7c"}));
    CHECK(plan_of(splitter) == Indices{2, 1, 2, 1, 0});
}

TEST_CASE("splitter: MSET keeps each value with its key") {
    const std::string bytes =
        request_of(Arguments{"mSeT", "1a", "\r\n", "0b", "", "1c", std::string(500, 'v')});
    Splitter splitter;
    splitter.plan(view_of(bytes), 2, shard_of);
    REQUIRE(splitter.fragments().size() == 2);
    CHECK(written(splitter, 0) == request_of(Arguments{"mset", "0b", ""}));
    CHECK(written(splitter, 1) ==
          request_of(Arguments{"mset", "1a", "\r\n", "1c", std::string(500, 'v')}));
    CHECK(plan_of(splitter) == Indices{1, 0, 1});
}

TEST_CASE("splitter: every split command is written with its own name in lower case") {
    for (const std::string name : {"DEL", "Unlink", "TOUCH", "eXists"}) {
        const std::string bytes = request_of(Arguments{name, "0a", "1b"});
        const RequestView view = view_of(bytes);
        Splitter splitter;
        splitter.plan(view, 2, shard_of);
        REQUIRE(splitter.fragments().size() == 2);
        CHECK(written(splitter, 1) == request_of(Arguments{std::string(view.command->name), "1b"}));
    }
}

TEST_CASE("splitter: keys without a live server are the last fragment, with no shard") {
    const std::string bytes = request_of(Arguments{"DEL", "xa", "9b", "xc"});
    Splitter splitter;
    splitter.plan(view_of(bytes), 10, shard_of);
    REQUIRE(splitter.fragments().size() == 2);
    CHECK(splitter.fragments()[0].shard == 9);
    CHECK(splitter.fragments()[1].shard == 0xffffffff);
    CHECK(splitter.fragments()[1].key_count == 2);
    CHECK(plan_of(splitter) == Indices{1, 0, 1});
}

TEST_CASE("splitter: one plan leaves nothing for the next, whatever the number of shards") {
    Splitter splitter;
    for (const uint32_t shard_count : {10U, 1000U, 3U, 10U, 1U}) {
        const std::string first = request_of(Arguments{"MGET", "0a", "xb", "0c"});
        splitter.plan(view_of(first), shard_count, shard_of);
        REQUIRE(splitter.fragments().size() == 2);
        CHECK(plan_of(splitter) == Indices{0, 1, 0});
        const std::string second = request_of(Arguments{"DEL", "0a"});
        splitter.plan(view_of(second), shard_count, shard_of);
        REQUIRE(splitter.fragments().size() == 1);
        CHECK(written(splitter, 0) == request_of(Arguments{"del", "0a"}));
        CHECK(plan_of(splitter) == Indices{0});
    }
}

TEST_CASE("splitter: 100,000 keys over 1000 shards come out complete and in order") {
    Arguments arguments = {"MGET"};
    for (size_t i = 0; i < 100000; ++i) {
        arguments.push_back(std::to_string(i * 7919 % 1000) + ":" + std::to_string(i));
    }
    const std::string bytes = request_of(arguments);
    Splitter splitter;
    splitter.plan(view_of(bytes), 1000, [](std::string_view key) {
        return static_cast<uint32_t>(std::stoul(std::string(key)));
    });
    REQUIRE(splitter.fragments().size() == 1000);
    std::vector<Arguments> expected(1000, Arguments{"mget"});
    for (size_t i = 0; i < 100000; ++i) {
        expected[splitter.fragment_of_key()[i]].push_back(arguments[i + 1]);
    }
    for (size_t fragment = 0; fragment < 1000; ++fragment) {
        REQUIRE(splitter.fragments()[fragment].shard == fragment);
        REQUIRE(splitter.fragments()[fragment].key_count == 100);
        REQUIRE(written(splitter, fragment) == request_of(expected[fragment]));
    }
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
