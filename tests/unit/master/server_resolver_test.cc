// SPDX-License-Identifier: Apache-2.0
#include "master/server_resolver.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

io::SocketAddress at(const std::string& host) {
    return *io::SocketAddress::from_numeric(host, 6379);
}

const io::SocketAddress kNone;

TEST_CASE("choose address: the first of the answer when nothing is known") {
    CHECK(choose_address(kNone, {at("10.0.0.1"), at("10.0.0.2")}, false) == at("10.0.0.1"));
    CHECK(choose_address(kNone, {at("10.0.0.1")}, true) == at("10.0.0.1"));
}

TEST_CASE("choose address: the current one is kept while it is in the answer, wherever it stands") {
    const std::vector<io::SocketAddress> answer = {at("10.0.0.1"), at("10.0.0.2"), at("10.0.0.3")};
    CHECK(choose_address(at("10.0.0.2"), answer, false) == at("10.0.0.2"));
    CHECK(choose_address(at("10.0.0.3"), answer, false) == at("10.0.0.3"));
}

TEST_CASE("choose address: a current one that is no longer there is replaced") {
    CHECK(choose_address(at("10.0.0.9"), {at("10.0.0.1")}, false) == at("10.0.0.1"));
}

TEST_CASE("choose address: an empty answer changes nothing") {
    CHECK(choose_address(at("10.0.0.9"), {}, true) == at("10.0.0.9"));
    CHECK(choose_address(kNone, {}, false).empty());
}

TEST_CASE("choose address: one that never worked gives way to the next, round and round") {
    const std::vector<io::SocketAddress> answer = {at("::1"), at("127.0.0.1")};
    CHECK(choose_address(at("::1"), answer, true) == at("127.0.0.1"));
    CHECK(choose_address(at("127.0.0.1"), answer, true) == at("::1"));
    CHECK(choose_address(at("::1"), {at("::1")}, true) == at("::1"));
}

config::ServerConfig server(const std::string& host) {
    config::ServerConfig config;
    config.address.host = host;
    config.address.port = 6379;
    return config;
}

config::Config one_pool(std::vector<config::ServerConfig> servers) {
    config::Config config;
    config.pools.resize(1);
    config.pools[0].servers = std::move(servers);
    return config;
}

TEST_CASE("resolver: numeric addresses and paths need no look-up") {
    io::Loop loop;
    config::ServerConfig on_path;
    on_path.address.is_unix = true;
    on_path.address.path = "/run/redis.sock";
    config::ServerConfig too_long = on_path;
    too_long.address.path = "/" + std::string(200, 'x');
    ServerResolver resolver(loop, one_pool({server("10.0.0.1"), server("::1"), on_path, too_long}),
                            {});
    bool answered = false;
    resolver.start([&] { answered = true; });
    CHECK(answered);
    CHECK(resolver.address(0, 0) == at("10.0.0.1"));
    CHECK(resolver.address(0, 1) == at("::1"));
    CHECK(resolver.address(0, 2).text() == "/run/redis.sock");
    CHECK(resolver.address(0, 3).empty());
}

TEST_CASE("resolver: a failed connect to a server that does not exist is refused") {
    io::Loop loop;
    ServerResolver resolver(loop, one_pool({server("10.0.0.1")}), {});
    CHECK(resolver.on_connect_failed(0, 0));
    CHECK_FALSE(resolver.on_connect_failed(0, 1));
    CHECK_FALSE(resolver.on_connect_failed(1, 0));
    CHECK_FALSE(resolver.on_connect_failed(4000000000U, 4000000000U));
}

TEST_CASE("resolver: a name is looked up before the start goes on") {
    io::Loop loop;
    ServerResolver resolver(loop, one_pool({server("localhost"), server("localhost")}), {});
    bool answered = false;
    resolver.start([&] {
        answered = true;
        loop.stop();
    });
    CHECK_FALSE(answered);
    CHECK(resolver.lookups_pending());
    loop.run();
    CHECK(answered);
    CHECK_FALSE(resolver.address(0, 0).empty());
    CHECK(resolver.address(0, 0) == resolver.address(0, 1));
}

TEST_CASE("resolver: what a former one knows is known from the start, and nothing else is") {
    io::Loop loop;
    ServerResolver former(loop, one_pool({server("localhost"), server("10.0.0.9")}), {});
    former.start([&] { loop.stop(); });
    loop.run();
    REQUIRE_FALSE(former.address(0, 0).empty());

    config::ServerConfig other_port = server("localhost");
    other_port.address.port = 6380;
    ServerResolver next(loop, one_pool({server("10.0.0.1"), server("localhost")}), {}, &former);
    CHECK(next.address(0, 1) == former.address(0, 0));
    CHECK(next.address(0, 0) == at("10.0.0.1"));
    bool answered = false;
    next.start([&] { answered = true; });
    CHECK(answered);  // it is looked up again all the same, but not waited for
    CHECK(next.lookups_pending());

    const ServerResolver another(loop, one_pool({other_port}), {}, &former);
    CHECK(another.address(0, 0).empty());
}

TEST_CASE("resolver: one that is gone before its answer comes is not told") {
    io::Loop loop;
    bool answered = false;
    {
        ServerResolver resolver(loop, one_pool({server("localhost")}), {});
        resolver.start([&] { answered = true; });
    }
    ServerResolver other(loop, one_pool({server("localhost")}), {});
    other.start([&] { loop.stop(); });
    loop.run();
    CHECK_FALSE(answered);
}

}  // namespace
}  // namespace ringmaster::master
