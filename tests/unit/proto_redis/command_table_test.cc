// SPDX-License-Identifier: Apache-2.0
// The table against what nutcracker 0.5.0 does, and the table against its own rules.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/proto/redis/commands.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

struct Row {
    std::string name;
    std::string supported;
    uint32_t key = 0;  // 0 = none
    bool fan_out = false;
    std::string accepts;  // of 0 to 7 arguments: x = refused
};

std::vector<Row> read_rows() {
    std::ifstream file(RM_GOLDEN_DIR "/redis_commands.tsv");
    REQUIRE(file.good());
    std::vector<Row> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::vector<std::string> cells;
        std::istringstream in(line);
        for (std::string cell; std::getline(in, cell, '\t');) {
            cells.push_back(cell);
        }
        REQUIRE(cells.size() == 8);
        rows.push_back({cells[0], cells[1],
                        cells[5].empty() ? 0 : static_cast<uint32_t>(std::stoul(cells[5])),
                        cells[6] == "yes", cells[7]});
    }
    return rows;
}

uint32_t first_key_of(const Command& command) {
    switch (command.keys.kind) {
        case KeySpec::Kind::kNone:
            return 0;
        case KeySpec::Kind::kRange:
            return static_cast<uint32_t>(command.keys.first);
        case KeySpec::Kind::kNumkeys:
            return command.keys.destination ? 1 : static_cast<uint32_t>(command.keys.first) + 1;
        case KeySpec::Kind::kStreams:
            return 1;
    }
    return 0;
}

TEST_CASE("command table: every command that nutcracker forwards is there, alike") {
    // What is different on purpose. Arity: what we take more or less than nutcracker.
    const std::map<std::string, std::string> other_arity = {
        {"expire", "xxAAAAAA"},   {"expireat", "xxAAAAAA"},  // NX, XX, GT, LT of Redis 7
        {"pexpire", "xxAAAAAA"},  {"pexpireat", "xxAAAAAA"},
        {"eval", "xxAAAAAA"},     {"evalsha", "xxAAAAAA"},  // without a key
        {"command", "AAAAAAAA"},                            // subcommands
        {"zunion", "xxAAAAAA"},   {"zinter", "xxAAAAAA"},   // a key behind numkeys
        {"zdiff", "xxAAAAAA"},    {"zrank", "xxAAAAAA"},    // WITHSCORE of Redis 7.2
        {"zrevrank", "xxAAAAAA"},
    };
    const std::set<std::string> key_behind_numkeys = {"zunion", "zinter", "zdiff"};
    size_t forwarded = 0;
    for (const Row& row : read_rows()) {
        if (row.supported != "yes") {
            continue;
        }
        ++forwarded;
        CAPTURE(row.name);
        const Command* command = find_command_or_null(row.name);
        REQUIRE(command != nullptr);
        const auto other = other_arity.find(row.name);
        const std::string& accepts = other == other_arity.end() ? row.accepts : other->second;
        for (uint32_t arguments = 0; arguments < 8; ++arguments) {
            CAPTURE(arguments);
            CHECK(arity_is_right(*command, arguments + 1) == (accepts[arguments] != 'x'));
        }
        CHECK(first_key_of(*command) == (key_behind_numkeys.count(row.name) != 0 ? 2 : row.key));
        const bool splits = row.fan_out || row.name == "exists";
        CHECK((command->split == SplitPolicy::kMultiShard) == splits);
        // COMMAND and LOLWUT, which nutcracker sends to any server, are answered by the proxy.
        CHECK((command->split == SplitPolicy::kLocal) == (row.key == 0));
    }
    CHECK(forwarded == 133);
}

TEST_CASE("command table: what nutcracker never learnt stays on one shard, the rest follows it") {
    std::set<std::string> forwarded;
    for (const Row& row : read_rows()) {
        if (row.supported == "yes") {
            forwarded.insert(row.name);
        }
    }
    for (const Command& command : all_commands()) {
        CAPTURE(command.name);
        const bool is_new = forwarded.count(std::string(command.name)) == 0;
        const bool several = command.keys.may_be_several() && command.split == SplitPolicy::kSingle;
        CHECK(command.one_shard == (is_new && several));
    }
}

TEST_CASE("command table: what nutcracker answers itself is local, and MOVE is refused") {
    for (const char* name :
         {"ping", "quit", "auth", "echo", "select", "client", "info", "config", "command"}) {
        CAPTURE(name);
        const Command* command = find_command_or_null(name);
        REQUIRE(command != nullptr);
        CHECK(command->split == SplitPolicy::kLocal);
        CHECK(command->local != LocalCommand::kNone);
    }
    REQUIRE(find_command_or_null("move") != nullptr);
    CHECK(find_command_or_null("move")->split == SplitPolicy::kRefused);
}

TEST_CASE("command table: split commands have the join of their kind") {
    std::map<std::string, JoinPolicy> joins;
    for (const Command& command : all_commands()) {
        if (command.split == SplitPolicy::kMultiShard) {
            joins[std::string(command.name)] = command.join;
        } else {
            CHECK(command.join == JoinPolicy::kFirst);
        }
    }
    const std::map<std::string, JoinPolicy> expected = {
        {"del", JoinPolicy::kSum},    {"exists", JoinPolicy::kSum},
        {"touch", JoinPolicy::kSum},  {"unlink", JoinPolicy::kSum},
        {"mget", JoinPolicy::kArray}, {"mset", JoinPolicy::kAllSucceeded}};
    CHECK(joins == expected);
}

TEST_CASE("command table: rows are unique, lower case and their first key is within reach") {
    std::set<std::string_view> names;
    for (const Command& command : all_commands()) {
        CAPTURE(command.name);
        CHECK(names.insert(command.name).second);
        CHECK(command.arity != 0);
        CHECK(first_key_of(command) < RequestView::kFirstArguments);
        for (const char byte : command.name) {
            CHECK(((byte >= 'a' && byte <= 'z') || byte == '_'));
        }
        if (command.local != LocalCommand::kNone) {
            CHECK(command.split == SplitPolicy::kLocal);
        }
        CHECK((command.split == SplitPolicy::kRefused) == !command.why.empty());
    }
}

TEST_CASE("command table: every row has an example of the right arity, and no other has one") {
    std::ifstream file(RM_GOLDEN_DIR "/commands.txt");
    REQUIRE(file.good());
    std::set<std::string_view> seen;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        CAPTURE(line);
        const std::string name = line.substr(0, line.find(' '));
        const Command* command = find_command_or_null(name);
        REQUIRE_MESSAGE(command != nullptr, name);
        const auto argc = static_cast<uint32_t>(1 + std::count(line.begin(), line.end(), ' '));
        CHECK(arity_is_right(*command, argc));
        seen.insert(command->name);
    }
    for (const Command& command : all_commands()) {
        CAPTURE(command.name);
        CHECK(seen.count(command.name) == 1);
    }
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
