// SPDX-License-Identifier: Apache-2.0
#include "master/control_server.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "common/io/signal.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::master {
namespace {

namespace fs = std::filesystem;

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "rm_ctl_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

// A server that keeps its answers back until they are given, and clients of it.
struct World {
    explicit World(uint64_t request_ms = ControlServer::kRequestMs)
        : server(
              test.loop,
              [this](const auto& words, auto on_answer) {
                  asked.push_back(words);
                  answers.push_back(std::move(on_answer));
              },
              request_ms) {
        io::ignore_signal(SIGPIPE);  // as the master does
        REQUIRE(server.open(path()).ok());
    }
    [[nodiscard]] std::string path() const { return (folder.path / "control.sock").string(); }
    std::unique_ptr<io::Recorder> client(std::string_view bytes = {}) {
        auto one = std::make_unique<io::Recorder>();
        REQUIRE(one->stream.connect(test.loop, *io::SocketAddress::from_unix_path(path()), *one) ==
                0);
        test.run_until([&] { return !one->outcomes.empty(); });
        REQUIRE(one->outcomes[0] == 0);
        REQUIRE(one->stream.start_reading() == 0);
        if (!bytes.empty()) {
            REQUIRE(one->write(bytes) == static_cast<ssize_t>(bytes.size()));
        }
        return one;
    }

    Folder folder;
    io::TestLoop test;
    std::vector<std::vector<std::string>> asked;
    std::vector<ControlServer::OnAnswer> answers;
    ControlServer server;
};

TEST_CASE("control server: a command is heard in pieces and answered later") {
    World world;
    struct stat status {};
    REQUIRE(::stat(world.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const std::string request = write_request({"status", "--json"});
    auto client = world.client(request.substr(0, 20));
    world.test.run_for_ms(20);
    CHECK(world.asked.empty());
    client->write(request.substr(20));
    world.test.run_until([&] { return !world.asked.empty(); });
    CHECK(world.asked[0] == std::vector<std::string>{"status", "--json"});
    CHECK(client->received.empty());
    // More than the socket takes at once, but not so much that a slow machine needs kStepMs for it.
    const ControlAnswer answer{.code = 1, .out = std::string(600000, 'x'), .err = "no\n"};
    world.answers[0](answer);
    world.test.run_until([&] { return client->eofs == 1; });
    CHECK(client->received == write_answer(answer));
}

TEST_CASE("control server: who leaves in the middle is forgotten, his answer goes nowhere") {
    World world;
    auto client = world.client(write_request({"reload"}));
    world.test.run_until([&] { return !world.asked.empty(); });
    client.reset();
    world.test.run_for_ms(20);
    world.answers[0]({.code = 0, .out = "done\n", .err = {}});
    client = world.client("ringmaster/1 ");
    world.test.run_for_ms(20);
    client.reset();
    world.test.run_for_ms(20);
    client = world.client(write_request({"stop"}));
    world.test.run_until([&] { return world.asked.size() == 2; });
}

TEST_CASE("control server: bytes that are no request are answered with what is wrong") {
    World world;
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("ringmaster/7 1\n"),
          std::string("\0\xff\n", 3), "ringmaster/1 2\n60000:" + std::string(70000, 'x')}) {
        auto client = world.client(bytes);
        world.test.run_until([&] { return client->eofs == 1; });
        ControlAnswer answer;
        REQUIRE(parse_answer(client->received, answer) == ControlParse::kDone);
        CHECK(answer.code == 1);
        CHECK(answer.err.starts_with("ringmaster: "));
    }
    CHECK(world.asked.empty());
}

TEST_CASE("control server: those who say nothing give way, those who wait for answers do not") {
    World world;
    std::vector<std::unique_ptr<io::Recorder>> silent;
    for (int i = 0; i < 100; ++i) {
        silent.push_back(world.client());
    }
    std::vector<std::unique_ptr<io::Recorder>> waiting;
    for (size_t i = 0; i < ControlServer::kMaxConnections; ++i) {
        waiting.push_back(world.client(write_request({"reload"})));
        world.test.run_until([&] { return world.asked.size() == i + 1; });
    }
    auto late = world.client();
    world.test.run_until([&] { return late->eofs + static_cast<int>(late->errors.size()) == 1; });
    CHECK(late->received.find("too many commands at once") != std::string::npos);
    world.answers[0]({});
    world.test.run_until([&] { return waiting[0]->eofs == 1; });
    waiting[0].reset();
    world.test.run_for_ms(20);
    late = world.client(write_request({"status"}));
    world.test.run_until([&] { return world.asked.size() == ControlServer::kMaxConnections + 1; });
}

TEST_CASE("control server: those who have their answer and stay give way") {
    World world;
    std::vector<std::unique_ptr<io::Recorder>> answered;
    for (size_t i = 0; i < ControlServer::kMaxConnections; ++i) {
        answered.push_back(world.client(write_request({"status"})));
        world.test.run_until([&] { return world.asked.size() == i + 1; });
        world.answers[i]({});
        world.test.run_until([&] { return answered[i]->eofs == 1; });
    }
    auto late = world.client(write_request({"stop"}));
    world.test.run_until([&] { return world.asked.size() == ControlServer::kMaxConnections + 1; });
    for (const auto& one : answered) {
        CHECK(one->received == write_answer({}));
    }
}

TEST_CASE("control server: a request that came while the proxy stood still was in time") {
    World world(5);
    const auto address = io::SocketAddress::from_unix_path(world.path());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd, address->get(), address->size_bytes()) == 0);
    const std::string request = write_request({"status"});
    REQUIRE(::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    // It is accepted in the first turn and read in the second, when its time is long up.
    world.test.run_until([&] {
        ::poll(nullptr, 0, 20);
        return world.test.turns >= 3;
    });
    CHECK(world.asked.size() == 1);
    ::close(fd);
}

TEST_CASE("control server: who never says anything is told so") {
    World world(5);
    auto client = world.client();
    world.test.run_until([&] { return client->eofs == 1; });
    CHECK(client->received.find("the request did not come in time") != std::string::npos);
    CHECK(world.asked.empty());
}

TEST_CASE("control server: a living socket is not stolen, a stale one is replaced") {
    World world;
    ControlServer second(world.test.loop, [](const auto&, auto on_answer) { on_answer({}); });
    const base::Status refused = second.open(world.path());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("Address already in use") != std::string::npos);
    CHECK(fs::exists(world.path()));

    const std::string stale = (world.folder.path / "stale").string();
    ::close(*io::make_unix_listener(stale, 0600, 1));
    REQUIRE(fs::exists(stale));
    REQUIRE(second.open(stale).ok());
    CHECK(second.path() == stale);
    second.close();
    CHECK_FALSE(fs::exists(stale));
    CHECK(fs::exists(world.path()));
}

TEST_CASE("control server: the folder is made, a missing one above it is an error") {
    Folder folder;
    io::TestLoop test;
    ControlServer server(test.loop, [](const auto&, auto on_answer) { on_answer({}); });
    REQUIRE(server.open((folder.path / "new" / "s").string()).ok());
    server.close();
    CHECK_FALSE(server.open((folder.path / "no" / "such" / "s").string()).ok());
    CHECK_FALSE(server.open(std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace ringmaster::master
