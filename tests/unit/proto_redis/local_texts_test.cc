// SPDX-License-Identifier: Apache-2.0
// Texts of what the proxy answers itself: errors that quote, patterns, CONFIG GET, INFO, CLIENT
// LIST, subcommands.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/redis/client_line.h"
#include "common/proto/redis/config_get.h"
#include "common/proto/redis/error_texts.h"
#include "common/proto/redis/glob.h"
#include "common/proto/redis/info_text.h"
#include "common/proto/redis/subcommands.h"

namespace ringmaster::proto::redis::test {
namespace {

std::string request_of(const std::vector<std::string>& words) {
    std::string text = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return text;
}

std::string unknown(const std::vector<std::string>& words) {
    const std::string text = request_of(words);
    RequestParser parser;
    REQUIRE(parser.parse(text.data(), text.size()) == ParseStatus::kDone);
    return unknown_command_text(parser.view(text.data()));
}

TEST_CASE("local texts: an unknown command is quoted as a server does") {
    const std::string head = "ERR unknown command 'nosuch', with args beginning with: ";
    const auto many = [](size_t count) { return std::string(count, 'a'); };
    CHECK(unknown({"nosuch"}) == head);
    CHECK(unknown({"nosuch", "a", ""}) == head + "'a' '' ");
    CHECK(unknown({many(200), "b"}) ==
          "ERR unknown command '" + many(128) + "', with args beginning with: 'b' ");
    CHECK(unknown({"nosuch", many(200), "b"}) == head + "'" + many(128) + "' ");
    CHECK(unknown({"nosuch", many(100), many(100), "c"}) ==
          head + "'" + many(100) + "' '" + many(25) + "' ");
    CHECK(unknown({"nosuch", many(124), "bc", "d"}) == head + "'" + many(124) + "' 'b' ");
    CHECK(unknown({"nosuch", many(125), "b"}) == head + "'" + many(125) + "' ");
    CHECK(unknown({std::string("no\0such", 7), std::string("a\0b", 3)}) ==
          "ERR unknown command 'no', with args beginning with: 'a' ");
}

TEST_CASE("local texts: subcommands and arity in the server's words") {
    CHECK(unknown_subcommand_text("client", "Foo") ==
          "ERR unknown subcommand 'Foo'. Try CLIENT HELP.");
    CHECK(unknown_subcommand_text("client", std::string(300, 'x')) ==
          "ERR unknown subcommand '" + std::string(128, 'x') + "'. Try CLIENT HELP.");
    CHECK(wrong_arity_text("get", "") == "ERR wrong number of arguments for 'get' command");
    CHECK(wrong_arity_text("client", "setname") ==
          "ERR wrong number of arguments for 'client|setname' command");
}

TEST_CASE("local texts: subcommands are found in any case, others are unknown") {
    const SubcommandRow* row = find_subcommand_or_null(LocalCommand::kClient, "sEtNaMe");
    REQUIRE(row != nullptr);
    CHECK(row->sub == Sub::kClientSetname);
    CHECK(arity_is_right(*row, 3));
    CHECK_FALSE(arity_is_right(*row, 2));
    CHECK_FALSE(arity_is_right(*row, 4));
    const SubcommandRow* kill = find_subcommand_or_null(LocalCommand::kClient, "KILL");
    REQUIRE(kill != nullptr);
    CHECK(arity_is_right(*kill, 7));
    for (const std::string_view word :
         {"tracking", "capa", "maint_notifications", "pause", "unpause", "x", ""}) {
        CAPTURE(word);
        CHECK(find_subcommand_or_null(LocalCommand::kClient, word) == nullptr);
    }
    CHECK(find_subcommand_or_null(LocalCommand::kPing, "help") == nullptr);
    for (const LocalCommand command :
         {LocalCommand::kAcl, LocalCommand::kClient, LocalCommand::kCommand, LocalCommand::kConfig,
          LocalCommand::kModule}) {
        CHECK_FALSE(help_of(command).empty());
        CHECK(find_subcommand_or_null(command, "help") != nullptr);
    }
}

TEST_CASE("local texts: patterns") {
    struct Case {
        const char* pattern;
        const char* text;
        bool fits;
    };
    for (const Case& c : {
             Case{"", "", true},
             {"", "a", false},
             {"*", "", true},
             {"*", "anything", true},
             {"a*c", "abbc", true},
             {"a*c", "abbd", false},
             {"*-read-only", "replica-read-only", true},
             {"*a*b*c*", "xxaxxbxxcxx", true},
             {"*a*b*c*", "xxaxxcxxbxx", false},
             {"?", "a", true},
             {"?", "", false},
             {"??", "a", false},
             {"MAX*", "maxmemory", true},
             {"[a-c]x", "bx", true},
             {"[a-c]x", "dx", false},
             {"[c-a]x", "bx", true},
             {"[^a-c]x", "dx", true},
             {"[^a]x", "ax", false},
             {"[abc]", "b", true},
             {"[abc", "c", true},
             {"[\\]]", "]", true},
             {"\\*", "*", true},
             {"\\*", "a", false},
             {"a\\", "a\\", true},
             {"a**b", "ab", true},
             {"ab", "abc", false},
             {"abc", "ab", false},
         }) {
        CAPTURE(c.pattern);
        CAPTURE(c.text);
        CHECK(fits_pattern(c.pattern, c.text) == c.fits);
    }
    // No more than the product of both lengths.
    CHECK_FALSE(fits_pattern("*a*a*a*a*a*a*a*a*a*a*b", std::string(20000, 'a')));
    CHECK(is_pattern("a?"));
    CHECK_FALSE(is_pattern("a"));
}

std::string config(std::vector<std::string_view> patterns, Protocol protocol = Protocol::kResp2) {
    std::string text;
    ReplyWriter writer(protocol, text);
    write_config(patterns, 16, writer);
    return text;
}

TEST_CASE("local texts: CONFIG GET knows what clients ask for, and nothing else") {
    CHECK(config({"save"}) == "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
    CHECK(config({"TimeOut"}) == "*2\r\n$7\r\nTimeOut\r\n$1\r\n0\r\n");
    CHECK(config({"databases", "data*"}) == "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n");
    CHECK(config({"*-read-only"}) ==
          "*4\r\n$17\r\nreplica-read-only\r\n$3\r\nyes\r\n$15\r\nslave-read-only\r\n$3\r\nyes\r\n");
    CHECK(config({"requirepass"}) == "*0\r\n");
    CHECK(config({"save"}, Protocol::kResp3) == "%1\r\n$4\r\nsave\r\n$0\r\n\r\n");
    CHECK(config({"nosuch"}, Protocol::kResp3) == "%0\r\n");
}

std::string info(std::vector<std::string_view> wanted) {
    InfoFacts facts;
    facts.redis_version = "7.0.0";
    facts.tcp_port = 6379;
    facts.used_memory = 3 << 20;
    facts.cpu_user_us = 1500000;
    facts.pool = "p";
    return info_text(facts, wanted);
}

TEST_CASE("local texts: INFO has the sections that are asked for, once and in order") {
    const std::string all = info({});
    CHECK(all.substr(0, 30) == "# Server\r\nredis_version:7.0.0\r");
    for (const char* line :
         {"\r\nredis_mode:standalone\r\n", "\r\ntcp_port:6379\r\n", "\r\nrole:master\r\n",
          "\r\nloading:0\r\n", "\r\nused_memory_human:3.00M\r\n", "\r\nused_cpu_user:1.500000\r\n",
          "\r\ncluster_enabled:0\r\n", "\r\n\r\n# Clients\r\n", "\r\nproxy_pool:p\r\n"}) {
        CAPTURE(line);
        CHECK(all.find(line) != std::string::npos);
    }
    CHECK(info({"all"}) == all);
    CHECK(info({"DEFAULT"}) == all);
    CHECK(info({"everything", "server"}) == all);
    CHECK(info({"keyspace", "Cluster", "keyspace"}) ==
          "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n");
    CHECK(info({"nosuch"}).empty());
}

TEST_CASE("local texts: the line of a client has a server's fields in a server's order") {
    ClientFacts facts;
    facts.id = 7;
    facts.address = "1.2.3.4:5";
    facts.local_address = "6.7.8.9:10";
    facts.name = "me";
    facts.lib_name = "lib";
    facts.lib_version = "1.0";
    facts.protocol = 3;
    CHECK(client_line(facts) ==
          "id=7 addr=1.2.3.4:5 laddr=6.7.8.9:10 fd=-1 name=me age=0 idle=0 flags=N db=0 sub=0 "
          "psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 "
          "oll=0 omem=0 tot-mem=0 events=r cmd=NULL user=default redir=-1 resp=3 lib-name=lib "
          "lib-ver=1.0\n");
    facts.is_unix = true;
    facts.no_evict = true;
    CHECK(client_line(facts).find(" flags=Ue ") != std::string::npos);
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
