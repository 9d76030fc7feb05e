// SPDX-License-Identifier: Apache-2.0
#include "master/listener_set.h"

#include <cerrno>
#include <set>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/format.h"
#include "tests/unit/io/free_port.h"

namespace ringmaster::master {
namespace {

using io::free_port;

config::PoolConfig pool(const std::string& name, uint16_t port,
                        const std::string& host = "127.0.0.1") {
    config::PoolConfig config;
    config.name = name;
    config.listen.host = host;
    config.listen.port = port;
    return config;
}

config::PoolConfig on_path(const std::string& name, const std::string& path) {
    config::PoolConfig config;
    config.name = name;
    config.listen.is_unix = true;
    config.listen.path = path;
    return config;
}

config::Config pools(std::vector<config::PoolConfig> list) {
    config::Config config;
    config.pools = std::move(list);
    return config;
}

// 0, or why a client cannot connect.
int connect_error(const io::SocketAddress& address) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int error = ::connect(fd, address.get(), address.size_bytes()) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

int connect_error(uint16_t port) {
    return connect_error(*io::SocketAddress::from_numeric("127.0.0.1", port));
}

std::set<uint32_t> ids(const std::vector<PoolListener>& listeners) {
    std::set<uint32_t> out;
    for (const PoolListener& listener : listeners) {
        out.insert(listener.id);
    }
    return out;
}

TEST_CASE("listener set: what is prepared takes no client before commit, and costs none at abort") {
    const uint16_t one = free_port();
    const uint16_t two = free_port();
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", one)}), 2));
    CHECK(connect_error(one) == 0);
    REQUIRE(set.prepare(pools({pool("a", one), pool("b", two)}), 2));
    CHECK(connect_error(two) == ECONNREFUSED);
    set.abort();
    CHECK(connect_error(two) == ECONNREFUSED);
    REQUIRE(set.prepare(pools({pool("a", one), pool("b", two)}), 2));
    CHECK(set.prepared_of_slot(1).size() == 2);
    set.commit();
    CHECK(connect_error(two) == 0);
    CHECK(set.of_slot(1).size() == 2);
    CHECK(set.text() == base::format("127.0.0.1:{}, 127.0.0.1:{}", one, two));
}

TEST_CASE("listener set: an address that stays keeps its sockets, whatever pool it feeds") {
    const uint16_t one = free_port();
    const uint16_t two = free_port();
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", one), pool("b", two)}), 2));
    const auto before = set.of_slot(0);
    REQUIRE(set.prepare(pools({pool("b", two), pool("a", one)}), 2));
    const auto prepared = set.prepared_of_slot(0);
    set.commit();
    const auto after = set.of_slot(0);
    REQUIRE(after.size() == 2);
    CHECK(after[0].id == before[1].id);
    CHECK(after[0].pool == 0);
    CHECK(after[1].id == before[0].id);
    CHECK(after[1].fd == before[0].fd);
    CHECK(prepared[0].id == after[0].id);
    CHECK(prepared[0].pool == 0);
}

TEST_CASE("listener set: slots come with sockets of their own, and none goes") {
    const uint16_t port = free_port();
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", port)}), 1));
    REQUIRE(set.prepare(pools({pool("a", port)}), 3));
    CHECK(ids(set.prepared_of_slot(2)) != ids(set.of_slot(0)));
    set.commit();
    const auto third = set.of_slot(2);
    REQUIRE(set.prepare(pools({pool("a", port)}), 1));
    set.commit();
    CHECK(ids(set.of_slot(2)) == ids(third));
}

TEST_CASE("listener set: a removed address is served until it is closed") {
    const uint16_t one = free_port();
    const uint16_t two = free_port();
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", one), pool("b", two)}), 1));
    REQUIRE(set.prepare(pools({pool("a", one)}), 1));
    set.commit();
    CHECK(connect_error(two) == 0);
    set.close_removed();
    CHECK(connect_error(two) == ECONNREFUSED);
    CHECK(connect_error(one) == 0);
    // And may come back.
    REQUIRE(set.prepare(pools({pool("b", two)}), 1));
    set.commit();
    CHECK(connect_error(two) == 0);
}

TEST_CASE("listener set: a failed prepare changes nothing and names the pool") {
    const uint16_t one = free_port();
    const uint16_t new_port = free_port();
    const uint16_t taken = free_port();
    ListenerSet other;
    REQUIRE(other.open(pools({pool("x", taken)}), 1));
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", one)}), 1));
    const auto status = set.prepare(pools({pool("b", new_port), pool("c", taken)}), 1);
    REQUIRE_FALSE(status);
    CHECK(status.error().message ==
          base::format("pool 'c': cannot listen on '127.0.0.1:{}': Address already in use", taken));
    CHECK(set.of_slot(0).size() == 1);
    REQUIRE(set.prepare(pools({pool("b", new_port)}), 1));  // nothing was left behind
    set.commit();
    CHECK(connect_error(new_port) == 0);
}

TEST_CASE("listener set: all addresses of a port may follow one of them") {
    const uint16_t port = free_port();
    ListenerSet set;
    REQUIRE(set.open(pools({pool("a", port)}), 1));
    REQUIRE(set.prepare(pools({pool("a", port, "0.0.0.0")}), 1));
    set.commit();
    set.close_removed();
    CHECK(connect_error(port) == 0);
}

TEST_CASE("listener set: one Unix path is one pool's, whatever its mode") {
    char folder[] = "/tmp/rm-listeners-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/a.sock";
    {
        ListenerSet set;
        config::PoolConfig other = on_path("v", path);
        other.listen.mode = 0660;
        CHECK_FALSE(set.open(pools({on_path("u", path), other}), 1));
        REQUIRE(set.open(pools({on_path("u", path)}), 1));
        const auto status = set.prepare(pools({on_path("u", path), other}), 1);  // a reload
        REQUIRE_FALSE(status);
        CHECK(status.error().message ==
              base::format("pool 'v': cannot listen on '{}': Address already in use", path));
        REQUIRE(set.of_slot(0).size() == 1);
        CHECK(connect_error(*io::SocketAddress::from_unix_path(path)) == 0);
    }
    CHECK(::rmdir(folder) == 0);
}

TEST_CASE("listener set: a Unix path appears at commit and goes with its pool") {
    char folder[] = "/tmp/rm-listeners-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/a.sock";
    const auto address = io::SocketAddress::from_unix_path(path);
    const uint16_t port = free_port();
    struct stat found {};
    {
        ListenerSet set;
        REQUIRE(set.open(pools({pool("a", port)}), 2));
        REQUIRE(set.prepare(pools({pool("a", port), on_path("u", path)}), 2));
        CHECK(::stat(path.c_str(), &found) != 0);
        set.commit();
        CHECK(connect_error(*address) == 0);
        CHECK(set.of_slot(0)[1].id == set.of_slot(1)[1].id);
        CHECK(set.of_slot(0)[1].shared);
        REQUIRE(set.prepare(pools({on_path("v", path)}), 2));  // ours: not "in use"
        set.commit();
        set.close_removed();
        CHECK(connect_error(*address) == 0);
        REQUIRE(set.prepare(pools({pool("a", port)}), 2));
        set.commit();
        set.close_removed();
        CHECK(::stat(path.c_str(), &found) != 0);
        REQUIRE(set.prepare(pools({on_path("v", path)}), 2));
        set.abort();
    }
    CHECK(::rmdir(folder) == 0);  // nothing is left in it
}

TEST_CASE("listener set: a Unix path's mode follows the config, also to the default one") {
    char folder[] = "/tmp/rm-listeners-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/a.sock";
    const mode_t mask = ::umask(027);
    {
        ListenerSet set;
        config::PoolConfig wide = on_path("u", path);
        wide.listen.mode = 0777;
        REQUIRE(set.open(pools({wide}), 1));
        const auto mode_with = [&](const config::PoolConfig& pool) {
            REQUIRE(set.prepare(pools({pool}), 1));
            set.commit();
            struct stat found {};
            REQUIRE(::stat(path.c_str(), &found) == 0);
            return found.st_mode & 0777;
        };
        CHECK(mode_with(on_path("u", path)) == 0750);
        CHECK(mode_with(wide) == 0777);
    }
    ::umask(mask);
    CHECK(::rmdir(folder) == 0);
}

TEST_CASE("listener set: a Unix path that was taken away gets a new socket at the next reload") {
    char folder[] = "/tmp/rm-listeners-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/a.sock";
    const auto address = io::SocketAddress::from_unix_path(path);
    {
        ListenerSet set;
        REQUIRE(set.open(pools({on_path("u", path)}), 1));
        const auto first = ids(set.of_slot(0));
        REQUIRE(::unlink(path.c_str()) == 0);
        REQUIRE(set.prepare(pools({on_path("u", path)}), 1));
        set.abort();
        CHECK(ids(set.of_slot(0)) == first);
        REQUIRE(set.prepare(pools({on_path("u", path)}), 1));
        set.commit();
        CHECK(ids(set.of_slot(0)) != first);
        set.close_removed();
        CHECK(connect_error(*address) == 0);
    }
    CHECK(::rmdir(folder) == 0);
}

TEST_CASE("listener set: a file of somebody else at a Unix path keeps its mode and its content") {
    char folder[] = "/tmp/rm-listeners-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/a.sock";
    const std::string foreign = std::string(folder) + "/theirs";
    const auto mode_of = [](const std::string& file) {
        struct stat found {};
        return ::stat(file.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
    };
    config::PoolConfig narrow = on_path("u", path);
    narrow.listen.mode = 0600;
    config::PoolConfig wide = on_path("u", path);
    wide.listen.mode = 0777;
    const int fd = ::open(foreign.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    REQUIRE(fd >= 0);
    REQUIRE(::fchmod(fd, 0640) == 0);
    ::close(fd);
    {
        ListenerSet set;
        REQUIRE(set.open(pools({narrow}), 1));
        REQUIRE(::unlink(path.c_str()) == 0);
        REQUIRE(::symlink(foreign.c_str(), path.c_str()) == 0);
        const auto status = set.prepare(pools({wide}), 1);
        REQUIRE_FALSE(status);
        CHECK(status.error().message ==
              base::format("pool 'u': cannot listen on '{}': File exists", path));
        CHECK(mode_of(foreign) == 0640);

        // Between the look and the change.
        REQUIRE(::unlink(path.c_str()) == 0);
        REQUIRE(set.prepare(pools({narrow}), 1));
        set.commit();
        REQUIRE(set.prepare(pools({wide}), 1));
        REQUIRE(::unlink(path.c_str()) == 0);
        REQUIRE(::link(foreign.c_str(), path.c_str()) == 0);
        set.commit();
        CHECK(mode_of(foreign) == 0640);
    }
    CHECK(mode_of(path) == 0640);  // and the end leaves it
    CHECK(::unlink(path.c_str()) == 0);
    CHECK(::unlink(foreign.c_str()) == 0);
    CHECK(::rmdir(folder) == 0);
}

}  // namespace
}  // namespace ringmaster::master
