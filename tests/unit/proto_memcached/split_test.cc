// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/memcached/splitter.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

constexpr uint32_t kNoServer = 0xffffffff;

// The shard is the key's first digit; '-' has no server.
uint32_t shard_by_first_byte(std::string_view key) {
    return key[0] == '-' ? kNoServer : static_cast<uint32_t>(key[0] - '0');
}

struct Split {
    std::vector<std::string> lines;
    std::vector<uint32_t> shards;
    std::vector<uint32_t> fragment_of_key;
};

Split split(Splitter& splitter, const std::string& request, uint32_t shard_count) {
    RequestParser parser;
    CHECK(parser.parse(request.data(), request.size()) == ParseStatus::kDone);
    splitter.plan(parser.view(request.data()), shard_count, shard_by_first_byte);
    Split result;
    uint32_t keys = 0;
    for (size_t i = 0; i < splitter.fragments().size(); ++i) {
        std::string line;
        splitter.write(i, line);
        CHECK(line.size() == splitter.fragments()[i].size_bytes);
        CHECK(parse_request(line, 100000).key_count == splitter.fragments()[i].key_count);
        keys += splitter.fragments()[i].key_count;
        result.lines.push_back(line);
        result.shards.push_back(splitter.fragments()[i].shard);
    }
    result.fragment_of_key.assign(splitter.fragment_of_key().begin(),
                                  splitter.fragment_of_key().end());
    CHECK(keys == result.fragment_of_key.size());
    return result;
}

}  // namespace

TEST_CASE("memcached split: keys keep their order within a shard, shards ascend, duplicates stay") {
    Splitter splitter;
    const Split result = split(splitter, "  gets 7a  2b 7c 0d 7a \r\n", 8);
    CHECK(result.lines ==
          std::vector<std::string>{"gets 0d\r\n", "gets 2b\r\n", "gets 7a 7c 7a\r\n"});
    CHECK(result.shards == std::vector<uint32_t>{0, 2, 7});
    CHECK(result.fragment_of_key == std::vector<uint32_t>{2, 1, 2, 0, 2});
}

TEST_CASE("memcached split: every line of a gat has its exptime") {
    Splitter splitter;
    const Split result = split(splitter, " gats  -1  7a 2b 7c\r\n", 8);
    CHECK(result.lines == std::vector<std::string>{"gats -1 2b\r\n", "gats -1 7a 7c\r\n"});
    const Split next = split(splitter, "gets 7a 2b\r\n", 8);
    CHECK(next.lines == std::vector<std::string>{"gets 2b\r\n", "gets 7a\r\n"});
}

TEST_CASE("memcached split: keys without a server are the last fragment") {
    Splitter splitter;
    const Split result = split(splitter, "get -x 1a -y 0b\n", 2);
    CHECK(result.lines == std::vector<std::string>{"get 0b\r\n", "get 1a\r\n", "get -x -y\r\n"});
    CHECK(result.shards == std::vector<uint32_t>{0, 1, kNoServer});
    CHECK(result.fragment_of_key == std::vector<uint32_t>{2, 1, 2, 0});
    const Split none = split(splitter, "get -x -y\r\n", 0);
    CHECK(none.lines == std::vector<std::string>{"get -x -y\r\n"});
}

TEST_CASE("memcached split: a plan leaves nothing behind for the next one") {
    Splitter splitter;
    for (const uint32_t shard_count : {8U, 10U, 8U, 9U}) {
        const Split first = split(splitter, "get 7a 3b -c\r\n", shard_count);
        CHECK(first.shards == std::vector<uint32_t>{3, 7, kNoServer});
        const Split second = split(splitter, "gets 1a 3b 1c\r\n", shard_count);
        CHECK(second.lines == std::vector<std::string>{"gets 1a 1c\r\n", "gets 3b\r\n"});
    }
}

TEST_CASE("memcached split: 100,000 keys are all there, in order") {
    std::string request = "get";
    for (uint32_t i = 0; i < 100000; ++i) {
        request += " " + std::to_string(i % 10) + "k" + std::to_string(i);
    }
    request += "\r\n";
    Splitter splitter;
    const Split result = split(splitter, request, 10);
    CHECK(result.lines.size() == 10);
    CHECK(result.fragment_of_key.size() == 100000);
    CHECK(result.fragment_of_key[99999] == 9);
    CHECK(result.lines[3].starts_with("get 3k3 3k13 3k23 "));
}
