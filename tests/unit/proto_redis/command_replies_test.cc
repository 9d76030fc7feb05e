// SPDX-License-Identifier: Apache-2.0
// COMMAND and its subcommands; the facts against the command table.
#include "common/proto/redis/command_replies.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/redis/command_facts.h"
#include "common/proto/redis/reply_parser.h"

namespace ringmaster::proto::redis::test {
namespace {

using Names = std::vector<std::string_view>;

template <class Write>
std::string written(Protocol protocol, Write&& write) {
    std::string out;
    ReplyWriter writer(protocol, out);
    write(writer);
    return out;
}

bool is_one_reply(const std::string& text) {
    ReplyParser parser;
    return parser.parse(text.data(), text.size()) == ParseStatus::kDone &&
           parser.position() == text.size();
}

TEST_CASE("command replies: every command that is allowed has its facts") {
    size_t allowed = 0;
    for (const Command& command : all_commands()) {
        if (command.split == SplitPolicy::kRefused) {
            continue;
        }
        ++allowed;
        CAPTURE(command.name);
        const CommandFacts* facts = command_facts_or_null(command.name);
        REQUIRE(facts != nullptr);
        CHECK_FALSE(facts->summary.empty());
        CHECK_FALSE(facts->group.empty());
        CHECK_FALSE(facts->since.empty());
        CHECK_FALSE(facts->categories.empty());
        // The proxy asks for no more arguments than a server.
        CHECK((facts->arity < 0 ? -facts->arity : facts->arity) >=
              (command.arity < 0 ? -command.arity : command.arity));
        const bool has_key =
            command.keys.kind != KeySpec::Kind::kNone && command.subcommands.empty();
        CHECK(has_key == !facts->key_flags.empty());
    }
    CHECK(count_allowed_commands() == allowed);
    CHECK(command_facts_or_null("nosuch") == nullptr);
}

TEST_CASE("command replies: all of INFO, DOCS and LIST is one reply") {
    for (const auto& write : {write_command_info, write_command_docs, write_command_list}) {
        const std::string text =
            written(Protocol::kResp2, [&](ReplyWriter& writer) { write({}, writer); });
        CHECK(is_one_reply(text));
        CHECK(text.size() > 1000);
    }
}

TEST_CASE("command replies: INFO of a command, of one that is refused and of none") {
    const Names names = {"GET", "multi", "nosuch"};
    const auto write = [&](ReplyWriter& writer) { write_command_info(names, writer); };
    CHECK(
        written(Protocol::kResp2, write) ==
        "*3\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
        "*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n"
        "+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n"
        "$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
        "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
        "$-1\r\n$-1\r\n");
    const std::string resp3 = written(Protocol::kResp3, write);
    CHECK(resp3.find("~2\r\n+readonly\r\n") != std::string::npos);
    CHECK(resp3.find("%3\r\n$5\r\nflags\r\n~2\r\n+RO") != std::string::npos);
    CHECK(resp3.substr(resp3.size() - 6) == "_\r\n_\r\n");
}

TEST_CASE("command replies: DOCS has what a command line client makes its hints of") {
    const Names names = {"lpos", "nosuch"};
    const std::string text =
        written(Protocol::kResp3, [&](ReplyWriter& writer) { write_command_docs(names, writer); });
    CHECK(text.substr(0, 27) == "%1\r\n$4\r\nlpos\r\n%4\r\n$7\r\nsumma");
    CHECK(text.find("$9\r\narguments\r\n*5\r\n%2\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$"
                    "3\r\nkey\r\n") != std::string::npos);
    CHECK(
        text.find("%4\r\n$4\r\nname\r\n$4\r\nrank\r\n$4\r\ntype\r\n$6\r\nstring\r\n$5\r\ntoken\r\n"
                  "$4\r\nRANK\r\n$5\r\nflags\r\n~1\r\n+optional\r\n") != std::string::npos);
    const Names none = {"nosuch"};
    CHECK(written(Protocol::kResp2,
                  [&](ReplyWriter& writer) { write_command_docs(none, writer); }) == "*0\r\n");
}

TEST_CASE("command replies: LIST and its filters") {
    const auto list = [](const Names& filter) {
        return written(Protocol::kResp2,
                       [&](ReplyWriter& writer) { write_command_list(filter, writer); });
    };
    CHECK(list({"FILTERBY", "PATTERN", "PFC*"}) == "*1\r\n$7\r\npfcount\r\n");
    CHECK(list({"filterby", "aclcat", "HyperLogLog"}) ==
          "*3\r\n$5\r\npfadd\r\n$7\r\npfcount\r\n$7\r\npfmerge\r\n");
    CHECK(list({"filterby", "module", "x"}) == "*0\r\n");
    CHECK(list({"filterby", "aclcat", "nosuch"}) == "*0\r\n");
    CHECK(list({"filterby", "aclcat"}) == "-ERR syntax error\r\n");
    CHECK(list({"x"}) == "-ERR syntax error\r\n");
    CHECK(list({"filterby", "x", "y"}) == "-ERR syntax error\r\n");
}

std::string keys(const std::string& request, bool with_flags = false) {
    RequestParser parser;
    REQUIRE(parser.parse(request.data(), request.size()) == ParseStatus::kDone);
    const RequestView view = parser.view(request.data());
    return written(Protocol::kResp2,
                   [&](ReplyWriter& writer) { write_command_keys(view, with_flags, writer); });
}

TEST_CASE("command replies: GETKEYS in the server's words") {
    CHECK(keys("*2\r\n$3\r\nGET\r\n$1\r\na\r\n") == "*1\r\n$1\r\na\r\n");
    CHECK(keys("*2\r\n$3\r\nGET\r\n$1\r\na\r\n", true) ==
          "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n");
    CHECK(
        keys("*3\r\n$4\r\nCOPY\r\n$1\r\na\r\n$1\r\nb\r\n", true) ==
        "*2\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n");
    CHECK(keys("*1\r\n$4\r\nPING\r\n") == "-ERR The command has no key arguments\r\n");
    CHECK(keys("*1\r\n$6\r\nNOSUCH\r\n") == "-ERR Invalid command specified\r\n");
    CHECK(keys("*1\r\n$3\r\nGET\r\n") ==
          "-ERR Invalid number of arguments specified for command\r\n");
    CHECK(keys("*3\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n0\r\n") == "*0\r\n");
    CHECK(keys("*3\r\n$6\r\nZUNION\r\n$1\r\n0\r\n$1\r\na\r\n") ==
          "-ERR Invalid arguments specified for command\r\n");
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
