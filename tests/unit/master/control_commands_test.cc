// SPDX-License-Identifier: Apache-2.0
#include "master/control_commands.h"

#include <doctest/doctest.h>

#include "common/base/format.h"
#include "master/options.h"

namespace ringmaster::master {
namespace {

using base::format;

// Remembers what was called.
class Backend : public ControlBackend {
  public:
    std::string called;

    void reload(OnAnswer on_answer) override { say("reload", on_answer); }
    ControlAnswer stop(bool drain) override { return note(format("stop {}", drain)); }
    void status(bool json, OnAnswer on_answer) override {
        say(format("status {}", json), on_answer);
    }
    ControlAnswer where(const std::string& pool, const std::string& key) override {
        return note(format("where {}|{}", pool, key));
    }
    ControlAnswer eject(const std::string& pool, const std::string& server) override {
        return note(format("eject {}|{}", pool, server));
    }
    ControlAnswer readmit(const std::string& pool, const std::string& server) override {
        return note(format("readmit {}|{}", pool, server));
    }
    ControlAnswer set_log_level(int level) override { return note(format("log {}", level)); }

  private:
    ControlAnswer note(std::string what) {
        called = std::move(what);
        return {};
    }
    void say(std::string what, const OnAnswer& on_answer) { on_answer(note(std::move(what))); }
};

std::string problem_of(const std::vector<std::string>& words) {
    const auto command = parse_command(words);
    return command ? std::string() : command.error().message;
}

TEST_CASE("commands: each calls its own function of the proxy and answers once") {
    const std::pair<std::vector<std::string>, std::string> cases[] = {
        {{"reload"}, "reload"},
        {{"stop"}, "stop false"},
        {{"stop", "--drain"}, "stop true"},
        {{"status"}, "status false"},
        {{"status", "--json"}, "status true"},
        {{"where", "p", ""}, "where p|"},
        {{"where", "p", "--json"}, "where p|--json"},
        {{"eject", "p", "s"}, "eject p|s"},
        {{"readmit", "p", "s"}, "readmit p|s"},
        {{"log", "11"}, "log 11"},
    };
    for (const auto& [words, expected] : cases) {
        const std::string& call = expected;  // clang captures no structured binding
        CAPTURE(call);
        Backend backend;
        int answers = 0;
        run_command(backend, words, [&](const ControlAnswer& answer) {
            ++answers;
            CHECK(answer.code == 0);
        });
        CHECK(answers == 1);
        CHECK(backend.called == expected);
    }
}

TEST_CASE("commands: wrong words never reach the proxy") {
    const std::vector<std::string> cases[] = {{},
                                              {""},
                                              {"dance"},
                                              {"reload", "x"},
                                              {"stop", "--json"},
                                              {"status", "--json", "--json"},
                                              {"where", "p"},
                                              {"where", "p", "k", "k"},
                                              {"eject", "p"},
                                              {"log"},
                                              {"log", "12"},
                                              {"log", "-1"},
                                              {"log", "1x"},
                                              {"log", ""},
                                              {"log", "999999999999"}};
    for (const std::vector<std::string>& words : cases) {
        CAPTURE(words.size());
        Backend backend;
        ControlAnswer answer;
        run_command(backend, words, [&](const ControlAnswer& one) { answer = one; });
        CHECK(answer.code == 1);
        CHECK(answer.err.starts_with("ringmaster: "));
        CHECK(backend.called.empty());
    }
    CHECK(problem_of({"where", "p"}) ==
          "too few words for 'where'; usage: ringmaster where POOL KEY");
    CHECK(problem_of({"stop", "now"}) ==
          "too many words for 'stop'; usage: ringmaster stop [--drain]");
    CHECK(problem_of({"log", "12"}).find("from 0 to 11") != std::string::npos);
}

TEST_CASE("commands: help lists every one with its words and its flag") {
    const std::string help = help_text();
    for (const CommandRow& row : command_table()) {
        CAPTURE(row.name);
        CHECK(find_command_or_null(row.name) == &row);
        CHECK(help.find(format("\n  {} ", row.name)) != std::string::npos);
        CHECK(help.find(row.arguments) != std::string::npos);
        CHECK(help.find(row.flag) != std::string::npos);
    }
    CHECK(find_command_or_null("x") == nullptr);
}

}  // namespace
}  // namespace ringmaster::master
