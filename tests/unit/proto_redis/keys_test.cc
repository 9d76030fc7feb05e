// SPDX-License-Identifier: Apache-2.0
// Which arguments are keys: by hand, and against what a real server said (command_keys.txt).
#include "common/proto/redis/keys.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

using Arguments = std::vector<std::string>;

std::string keys_of(const Arguments& arguments) {
    const std::string bytes = request_of(arguments);
    const RequestView view = view_of(bytes);
    REQUIRE(view.command != nullptr);
    std::string_view key;
    std::string_view error;
    if (!find_first_key(view, key, error)) {
        return error.empty() ? "" : "error";
    }
    KeyWalker walker(view);
    std::string keys;
    bool first = true;
    while (walker.next(key)) {
        keys += (first ? "" : " ") + std::string(key);
        first = false;
    }
    return keys;
}

Arguments words_of(const std::string& text) {
    std::istringstream in(text);
    Arguments words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

TEST_CASE("keys: every example of the table has the keys that redis-server names") {
    std::ifstream file(RM_GOLDEN_DIR "/command_keys.txt");
    REQUIRE(file.good());
    size_t compared = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        CAPTURE(line);
        const size_t arrow = line.find(" ->");
        REQUIRE(arrow != std::string::npos);
        const Arguments words = words_of(line.substr(0, arrow));
        const std::string keys = arrow + 4 < line.size() ? line.substr(arrow + 4) : "";
        if (words.size() == 2 && words[1] == "HELP") {
            CHECK(keys.empty());  // classify_subcommand() tells it
        } else {
            CHECK(keys_of(words) == keys);
        }
        ++compared;
    }
    CHECK(compared > 150);
}

TEST_CASE("keys: all of them are found behind words, counts and destinations, in any case") {
    const std::pair<const char*, const char*> cases[] = {
        {"get k", "k"},
        {"rename a b", "a b"},
        {"msetnx a 1 b 2 c 3", "a b c"},
        {"bitop and to x y z", "to x y z"},
        {"zunionstore to 2 a b weights 1 2", "to a b"},
        {"zunionstore to 9 a b", "to"},
        {"zunionstore to x a b", "to"},
        {"zunionstore to", "to"},
        {"zunion 2 a b withscores", "a b"},
        {"zunion 02 a b", "a b"},
        {"lmpop 3 a b c left", "a b c"},
        {"eval script 2 a b c d", "a b"},
        {"sort k by w* get # StoRe to", "k to"},
        {"sort k by store", "k"},
        {"sort k get store limit 1 2 desc", "k"},
        {"sort k store", "k"},
        {"georadius k 1 2 3 km STOREDIST to", "k to"},
        {"georadius k store 2 3 km", "k"},
        {"georadiusbymember k m 3 km store to", "k to"},
        {"xread streams a b c 0 0 0", "a b c"},
        {"xread count 5 STREAMS a 0", "a"},
        {"xread count streams streams a 0", "a"},
        {"xreadgroup group streams c noack streams a b > >", "a b"},
        {"object encoding k", "k"},
    };
    for (const auto& one : cases) {
        const auto& request = one.first;  // clang 14 cannot capture a structured binding
        const auto& keys = one.second;
        CAPTURE(request);
        CHECK(keys_of(words_of(request)) == keys);
    }
}

TEST_CASE("keys: a request whose keys cannot be told is an error, not a guess") {
    for (const char* request :
         {"zunion 0 a", "zunion 00 a", "zunion -1 a", "zunion x a", "zunion 2 a", "zunion 2",
          "zunion 4294967297 a", "eval script 0", "eval script 1", "eval script 0 a",
          "lmpop 99 a left", "xread count 1 a 0", "xread streams a b 0", "xread streams a",
          "xread count 1 streams", "xread block 0 streams a 0", "xread BLOCK 1 STREAMS a 0",
          "xreadgroup group g c block 5 streams a >"}) {
        CAPTURE(request);
        CHECK(keys_of(words_of(request)) == "error");
    }
    CHECK(keys_of({"zunion", "", "a"}) == "error");
    CHECK(keys_of({"ping"}) == "");
    CHECK(keys_of({"get", ""}) == "");
}

TEST_CASE("keys: only commands that can have several keys are walked") {
    for (const Command& command : all_commands()) {
        CAPTURE(command.name);
        const KeySpec& keys = command.keys;
        const bool one =
            keys.kind == KeySpec::Kind::kNone ||
            (keys.kind == KeySpec::Kind::kRange && keys.first == keys.last && keys.options == 0);
        CHECK(keys.may_be_several() == !one);
    }
}

TEST_CASE("subcommands: whole words only, in any case") {
    const Command* object = find_command_or_null("object");
    REQUIRE(object != nullptr);
    CHECK(classify_subcommand(*object, "ENCODING") == Subcommand::kKnown);
    CHECK(classify_subcommand(*object, "refcount") == Subcommand::kKnown);
    CHECK(classify_subcommand(*object, "Help") == Subcommand::kHelp);
    for (const char* word : {"", "enc", "encoding ", "encodingfreq", "freq idletime", " "}) {
        CHECK(classify_subcommand(*object, word) == Subcommand::kUnknown);
    }
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
