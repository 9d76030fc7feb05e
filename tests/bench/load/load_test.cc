// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/key_picker.h"
#include "tests/bench/load/key_space.h"
#include "tests/bench/load/protocol.h"
#include "tests/bench/load/reply_reader.h"

namespace bench {
namespace {

// What a server that holds every key would answer.
std::string right_reply(std::string_view protocol, const KeySpace& space,
                        const std::vector<Key>& keys) {
    std::string reply;
    if (protocol == "redis" && keys.size() > 1) {
        reply = "*" + std::to_string(keys.size()) + "\r\n";
    }
    for (const Key key : keys) {
        const std::string size = std::to_string(space.value(key).size());
        if (protocol == "redis") {
            reply += "$" + size + "\r\n";
        } else if (protocol == "memcached") {
            reply += "VALUE " + std::string(space.name(key)) + " 0 " + size + "\r\n";
        } else {
            reply += "VA " + size + "\r\n";
        }
        reply += space.value_line(key);
    }
    return protocol == "memcached" ? reply + "END\r\n" : reply;
}

ReplyReader::Result read_in_pieces(const Protocol& protocol, Request request,
                                   const std::string& reply, std::size_t piece) {
    ReplyReader reader;
    for (std::size_t at = 0; at < reply.size(); at += piece) {
        const std::string part = reply.substr(at, piece);
        std::string_view bytes = part;
        const ReplyReader::Result result = reader.read(protocol, request, bytes);
        if (result != ReplyReader::Result::kMore) {
            return at + piece >= reply.size() && bytes.empty() ? result
                                                               : ReplyReader::Result::kWrong;
        }
    }
    return ReplyReader::Result::kMore;
}

struct Case {
    const char* protocol;
    std::uint32_t width;
};

}  // namespace

TEST_CASE("histogram: a percentile is at most one part in 128 too high") {
    Histogram histogram;
    std::vector<std::uint64_t> all;
    Random random(1);
    for (int count = 0; count < 50000; ++count) {
        all.push_back(static_cast<std::uint64_t>(std::exp(random.fraction() * 25)));
        histogram.add(all.back());
    }
    std::sort(all.begin(), all.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 50000)) - 1;
        CHECK(histogram.percentile(share) >= all[rank]);
        CHECK(static_cast<double>(histogram.percentile(share)) <=
              static_cast<double>(all[rank]) * (1 + 1.0 / 128));
    }
    CHECK(histogram.max() == all.back());
    CHECK(histogram.count() == all.size());
}

TEST_CASE("histogram: nothing, zero and the largest number") {
    Histogram histogram;
    CHECK(histogram.percentile(0.5) == 0);
    histogram.add(0);
    CHECK(histogram.percentile(1) == 0);
    histogram.add(~std::uint64_t{0});
    CHECK(histogram.percentile(1) == ~std::uint64_t{0});
}

TEST_CASE("key picker: Zipf's law gives the first key its share, uniform gives none more") {
    constexpr Key kKeys = 1000;
    constexpr int kPicks = 200000;
    for (const double skew : {0.0, 0.99}) {
        const KeyPicker picker(kKeys, skew);
        Random random(3);
        std::vector<int> counts(kKeys);
        for (int pick = 0; pick < kPicks; ++pick) {
            ++counts.at(picker.pick(random));
        }
        double all = 0;
        for (Key rank = 1; rank <= kKeys; ++rank) {
            all += std::pow(rank, -skew);
        }
        const int most = *std::max_element(counts.begin(), counts.end());
        CHECK(most > kPicks / all * 0.9);
        CHECK(most < kPicks / all * (skew > 0 ? 1.1 : 1.5));
    }
}

TEST_CASE("key space: a name finds its key, and nothing else is a name") {
    const KeySpace space(50, {10, 200});
    bool sizes_differ = false;
    for (Key key = 0; key < 50; ++key) {
        CHECK(space.find(space.name(key)) == key);
        CHECK(space.value_line(key) == std::string(space.value(key)) + "\r\n");
        sizes_differ = sizes_differ || space.value(key).size() != space.value(0).size();
    }
    CHECK(sizes_differ);
    for (const char* name :
         {"", "000000000050:bench", "00000000000x:bench", "000000000001:benck"}) {
        CHECK(space.find(name) == space.count());
    }
}

TEST_CASE("reply reader: the right reply in pieces of every size, and no other") {
    const KeySpace space(50, {1, 40});
    const KeyPicker picker(50, 0);
    for (const Case& one : {Case{"redis", 1}, Case{"redis", 7}, Case{"memcached", 1},
                            Case{"memcached", 7}, Case{"meta", 1}}) {
        CAPTURE(one.protocol);
        const auto protocol = make_protocol(one.protocol, space, picker);
        Request request;
        request.width = one.width;
        request.key = 17;
        request.keys = Random(5);
        Random keys_again(5);
        std::vector<Key> keys = {request.key};
        for (std::uint32_t index = 0; one.width > 1 && index < one.width; ++index) {
            keys.resize(one.width);
            keys[index] = picker.pick(keys_again);
        }
        std::string sent;
        protocol->write(request, sent);
        const std::string reply = right_reply(one.protocol, space, keys);
        for (std::size_t piece = 1; piece <= reply.size(); ++piece) {
            CHECK(read_in_pieces(*protocol, request, reply, piece) == ReplyReader::Result::kDone);
        }
        for (std::size_t at = 0; at < reply.size(); ++at) {
            std::string wrong = reply;
            wrong[at] = static_cast<char>(wrong[at] ^ 1);
            CAPTURE(at);
            CHECK(read_in_pieces(*protocol, request, wrong, wrong.size()) !=
                  ReplyReader::Result::kDone);
        }
    }
}

}  // namespace bench
