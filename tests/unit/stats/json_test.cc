// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "common/stats/stats.h"

namespace ringmaster::stats {
namespace {

using Json = nlohmann::ordered_json;

// As nutcracker-0.5.0 wrote it: a redis pool with one server and a memcached pool with two, nothing
// listening behind them; one request each to r1 and one, two to the third; one client gone.
// Recorded by reading its stats port.
constexpr char kRecorded[] =
    R"({"service":"nutcracker", "source":"vm", "version":"0.5.0", "uptime":32, )"
    R"("timestamp":1795395574, "total_connections":8, "curr_connections":4, )"
    R"("beta": {"client_eof":0, "client_err":0, "client_connections":1, "server_ejects":0, )"
    R"("forward_error":1, "fragments":0, )"
    R"("r1": {"server_eof":0, "server_err":1, "server_timedout":0, "server_connections":0, )"
    R"("server_ejected_at":0, "requests":1, "request_bytes":20, "responses":0, )"
    R"("response_bytes":0, "in_queue":0, "in_queue_bytes":0, "out_queue":0, )"
    R"("out_queue_bytes":0}},)"
    R"("alpha": {"client_eof":1, "client_err":0, "client_connections":1, "server_ejects":0, )"
    R"("forward_error":3, "fragments":0, )"
    R"("one": {"server_eof":0, "server_err":1, "server_timedout":0, "server_connections":0, )"
    R"("server_ejected_at":0, "requests":1, "request_bytes":9, "responses":0, )"
    R"("response_bytes":0, "in_queue":0, "in_queue_bytes":0, "out_queue":0, )"
    R"("out_queue_bytes":0},)"
    R"("127.0.0.1:24912": {"server_eof":0, "server_err":1, "server_timedout":0, )"
    R"("server_connections":0, "server_ejected_at":0, "requests":2, "request_bytes":29, )"
    R"("responses":0, "response_bytes":0, "in_queue":0, "in_queue_bytes":0, "out_queue":0, )"
    R"("out_queue_bytes":0}}})"
    "\n";

Snapshot recorded_snapshot() {
    Snapshot snapshot = make_snapshot(std::vector<size_t>{1, 2});
    snapshot.total_connections = 8;
    snapshot.curr_connections = 4;
    PoolSnapshot& beta = snapshot.pools[0];
    beta.pool.set(PoolStat::kClientConnections, 1);
    beta.pool.set(PoolStat::kForwardError, 1);
    beta.servers[0].set(ServerStat::kServerErr, 1);
    beta.servers[0].set(ServerStat::kRequests, 1);
    beta.servers[0].set(ServerStat::kRequestBytes, 20);
    PoolSnapshot& alpha = snapshot.pools[1];
    alpha.pool.set(PoolStat::kClientEof, 1);
    alpha.pool.set(PoolStat::kClientConnections, 1);
    alpha.pool.set(PoolStat::kForwardError, 3);
    alpha.servers[0].set(ServerStat::kServerErr, 1);
    alpha.servers[0].set(ServerStat::kRequests, 1);
    alpha.servers[0].set(ServerStat::kRequestBytes, 9);
    alpha.servers[1].set(ServerStat::kServerErr, 1);
    alpha.servers[1].set(ServerStat::kRequests, 2);
    alpha.servers[1].set(ServerStat::kRequestBytes, 29);
    return snapshot;
}

TEST_CASE("stats document: byte for byte what nutcracker wrote") {
    const Header header = {
        .source = "vm", .version = "0.5.0", .uptime_s = 32, .timestamp_s = 1795395574};
    const std::vector<PoolNames> names = {{"beta", {"r1"}}, {"alpha", {"one", "127.0.0.1:24912"}}};
    CHECK(to_json(header, names, recorded_snapshot()) == kRecorded);
}

// Every number its own value, so that two swapped keys cannot pass.
TEST_CASE("stats document: each number stands under its own key") {
    Snapshot snapshot = make_snapshot(std::vector<size_t>{2, 1});
    std::vector<int64_t> values = flatten(snapshot);
    for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<int64_t>(1000 + i);
    }
    REQUIRE(unflatten(values, snapshot));
    const std::vector<PoolNames> names = {{"p", {"a", "b"}}, {"q", {"c"}}};
    const Json document = Json::parse(to_json({}, names, snapshot));
    const Json model = Json::parse(kRecorded);
    for (size_t p = 0; p < names.size(); ++p) {
        const Json& pool = document.at(names[p].pool);
        size_t printed = 0;
        for (size_t i = 0; i < kPoolStatCount; ++i) {
            if (!pool_stats()[i].in_document) {
                CHECK_FALSE(pool.contains(pool_stats()[i].name));
                continue;
            }
            ++printed;
            const auto key = std::next(model.at("beta").begin(), static_cast<ptrdiff_t>(i)).key();
            CHECK(pool.at(key) == snapshot.pools[p].pool.values[i]);
        }
        CHECK(printed == 6);
        CHECK(pool.size() == printed + names[p].servers.size());
        for (size_t s = 0; s < names[p].servers.size(); ++s) {
            const Json& server = pool.at(names[p].servers[s]);
            CHECK(server.size() == kServerStatCount);
            for (size_t i = 0; i < kServerStatCount; ++i) {
                const Json& r1 = model.at("beta").at("r1");
                const auto key = std::next(r1.begin(), static_cast<ptrdiff_t>(i)).key();
                CHECK(server.at(key) == snapshot.pools[p].servers[s].values[i]);
            }
        }
    }
}

Header named(const std::string& source) {
    Header header;
    header.source = source;
    return header;
}

TEST_CASE("stats document: one line, whatever the names hold") {
    const std::string name = "a\"b\\c\n\r\t\1\x7f/\xc3\xa9\xf0\x9f\x98\x80";
    const std::vector<PoolNames> names = {{name, {name}}};
    const std::string text = to_json(named(name), names, make_snapshot(std::vector<size_t>{1}));
    CHECK(text.find('\n') == text.size() - 1);
    const Json document = Json::parse(text);
    CHECK(document.at("source") == name);
    CHECK(document.at(name).at(name).at("requests") == 0);
}

std::string escaped(const std::string& name) {
    const std::string text = to_json(named(name), {}, Snapshot{});
    CHECK(Json::accept(text));
    const size_t start = text.find("\"source\":\"") + 10;
    return text.substr(start, text.find("\", \"version\"") - start);
}

TEST_CASE("stats document: a byte that is not UTF-8 is escaped by its value") {
    CHECK(escaped("\xff") == "\\u00ff");
    CHECK(escaped("a\x80z") == "a\\u0080z");
    CHECK(escaped("\xc3") == "\\u00c3");                                   // cut
    CHECK(escaped("\xe2\x82") == "\\u00e2\\u0082");                        // cut
    CHECK(escaped("\xc0\xaf") == "\\u00c0\\u00af");                        // overlong
    CHECK(escaped("\xe0\x80\xaf") == "\\u00e0\\u0080\\u00af");             // overlong
    CHECK(escaped("\xed\xa0\x80") == "\\u00ed\\u00a0\\u0080");             // surrogate
    CHECK(escaped("\xf4\x90\x80\x80") == "\\u00f4\\u0090\\u0080\\u0080");  // above U+10FFFF
    CHECK(escaped("\xf8\x88\x80\x80\x80") == "\\u00f8\\u0088\\u0080\\u0080\\u0080");
    CHECK(escaped("\xe2\x82z\xe2\x82\xac") == "\\u00e2\\u0082z\xe2\x82\xac");
}

TEST_CASE("stats document: characters at the edges of UTF-8 stay as they are") {
    for (const std::string& name :
         {std::string("\xc2\x80"), std::string("\xdf\xbf"), std::string("\xe0\xa0\x80"),
          std::string("\xed\x9f\xbf"), std::string("\xee\x80\x80"), std::string("\xef\xbf\xbf"),
          std::string("\xf0\x90\x80\x80"), std::string("\xf4\x8f\xbf\xbf"), std::string("\x7f")}) {
        CHECK(escaped(name) == name);
    }
    CHECK(escaped(std::string("\0\x1f", 2)) == "\\u0000\\u001f");
}

TEST_CASE("stats document: the largest and smallest numbers are written in full") {
    Snapshot snapshot = make_snapshot(std::vector<size_t>{0});
    snapshot.total_connections = INT64_MAX;
    snapshot.curr_connections = INT64_MIN;
    const std::vector<PoolNames> names = {{"empty", {}}};
    const std::string text = to_json({}, names, snapshot);
    CHECK(text.find("\"total_connections\":9223372036854775807, ") != std::string::npos);
    CHECK(text.find("\"curr_connections\":-9223372036854775808, ") != std::string::npos);
    CHECK(text.find("\"fragments\":0}}\n") != std::string::npos);
}

}  // namespace
}  // namespace ringmaster::stats
