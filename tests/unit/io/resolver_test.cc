// SPDX-License-Identifier: Apache-2.0
#include "common/io/resolver.h"

#include <algorithm>
#include <optional>

#include <sys/socket.h>

#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

using Answer = base::Result<std::vector<SocketAddress>>;

std::optional<Answer> ask(const std::string& host) {
    TestLoop test;
    std::optional<Answer> answer;
    int calls = 0;
    resolve(test.loop, host, 6379, [&](Answer got) {
        ++calls;
        answer.emplace(std::move(got));
    });
    CHECK(calls == 0);
    test.run_until([&] { return answer.has_value(); });
    test.run_for_ms(2);
    CHECK(calls == 1);
    return answer;
}

TEST_CASE("resolver: a numeric host comes back later, not from inside the call") {
    const auto answer = ask("127.0.0.2");
    REQUIRE(*answer);
    REQUIRE(answer->value().size() == 1);
    CHECK(answer->value()[0].text() == "127.0.0.2:6379");
}

TEST_CASE("resolver: localhost has a loopback address with the port") {
    const auto answer = ask("localhost");
    REQUIRE(*answer);
    const auto& list = answer->value();
    CHECK(std::any_of(list.begin(), list.end(), [](const SocketAddress& address) {
        return address.text() == "127.0.0.1:6379" || address.text() == "[::1]:6379";
    }));
    const Answer now = resolve_now("localhost", 6379);
    REQUIRE(now);
    CHECK(now.value() == list);
}

TEST_CASE("resolver: a name that cannot exist is an error that names it") {
    // One label above 63 bytes: refused without asking anybody.
    const std::string host(70, 'x');
    const auto answer = ask(host);
    REQUIRE_FALSE(*answer);
    CHECK(answer->error().message.find("cannot resolve '" + host + "': ") == 0);
    const Answer now = resolve_now(host, 1);
    REQUIRE_FALSE(now);
    CHECK(now.error().message.find("cannot resolve '" + host + "': ") == 0);
}

TEST_CASE("resolver: a loop that ends calls nobody back") {
    int calls = 0;
    {
        Loop loop;
        resolve(loop, "127.0.0.1", 1, [&](Answer) { ++calls; });
        resolve(loop, "localhost", 1, [&](Answer) { ++calls; });
    }
    CHECK(calls == 0);
}

TEST_CASE("socket address: texts, bytes and ports") {
    const auto v4 = SocketAddress::from_numeric("10.1.2.3", 80);
    const auto v6 = SocketAddress::from_numeric("::1", 6379);
    REQUIRE(v4);
    REQUIRE(v6);
    CHECK(v4->text() == "10.1.2.3:80");
    CHECK(v6->text() == "[::1]:6379");
    CHECK(v4->family() == AF_INET);
    CHECK_FALSE(SocketAddress::from_numeric("localhost", 1));
    CHECK_FALSE(SocketAddress::from_numeric("", 1));
    const auto path = SocketAddress::from_unix_path("/tmp/x");
    REQUIRE(path);
    CHECK(path->text() == "/tmp/x");
    CHECK(path->is_unix());
    for (const SocketAddress& address : {*v4, *v6, *path}) {
        const auto back = SocketAddress::from_bytes(address.bytes());
        REQUIRE(back);
        CHECK(*back == address);
        CHECK_FALSE(SocketAddress::from_bytes(address.bytes().substr(1)));
        for (size_t size = 0; size < address.bytes().size(); ++size) {
            CHECK_FALSE(SocketAddress::from_bytes(address.bytes().substr(0, size)));
        }
        CHECK_FALSE(SocketAddress::from_bytes(std::string(address.bytes()) + '\0'));
    }
    CHECK_FALSE(*v4 == *v6);
    CHECK(SocketAddress().empty());
    CHECK(SocketAddress::from_unix_path(std::string(107, 'p')));
    CHECK_FALSE(SocketAddress::from_unix_path(std::string(108, 'p')));
    CHECK_FALSE(SocketAddress::from_unix_path(""));
    CHECK(SocketAddress::from_bytes(SocketAddress::from_unix_path(std::string(107, 'p'))->bytes()));
}

}  // namespace
}  // namespace ringmaster::io
