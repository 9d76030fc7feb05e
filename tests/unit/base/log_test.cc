// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log_sink.h"

namespace ringmaster::base {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// A folder of its own; the log is back at stderr afterwards.
struct LogFixture {
    LogFixture() {
        std::string pattern = (fs::temp_directory_path() / "rm_log_XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
        file = folder / "log";
    }
    ~LogFixture() {
        const Status back = log_open("", static_cast<int>(LogLevel::kNotice), "master");
        CHECK(back.ok());
        fs::remove_all(folder);
    }
    void open(int level = 5, const std::string& role = "worker 2") {
        const Status opened = log_open(file.string(), level, role);
        REQUIRE(opened.ok());
    }

    fs::path folder;
    fs::path file;
};

TEST_CASE_FIXTURE(LogFixture, "log: a line is time, role, level, place and text") {
    open();
    RM_LOG(kWarn, "{} servers of '{}'", 3, "alpha");
    const std::regex line(R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] worker 2 warn )"
                          R"(log_test\.cc:\d+ 3 servers of 'alpha'\n)");
    CHECK_MESSAGE(std::regex_match(content(file), line), content(file));
}

TEST_CASE_FIXTURE(LogFixture, "log: a name cannot forge a line or move the terminal's cursor") {
    open();
    RM_LOG(kErr, "server {} failed", "x\n[2024-01-01 00:00:00.000] master emerg\r\t\x1b[2J\x7f");
    const std::string text = content(file);
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(text.find("server x?[2024-01-01 00:00:00.000] master emerg???[2J? failed\n") !=
          std::string::npos);
}

TEST_CASE_FIXTURE(LogFixture, "log: bytes above ASCII stay, so that UTF-8 names can be read") {
    open();
    RM_LOG(kErr, "{}", "caf\xc3\xa9");
    CHECK(content(file).find("caf\xc3\xa9\n") != std::string::npos);
}

TEST_CASE_FIXTURE(LogFixture, "log: only levels up to the chosen one are written") {
    open(static_cast<int>(LogLevel::kWarn));
    RM_LOG(kErr, "one");
    RM_LOG(kWarn, "two");
    RM_LOG(kNotice, "three");
    log_set_level(static_cast<int>(LogLevel::kPverb));
    RM_LOG(kPverb, "four");
    log_set_level(0);
    RM_LOG(kAlert, "five");
    RM_LOG(kEmerg, "six");
    std::string seen;
    const std::string text = content(file);
    for (const char* word : {"one", "two", "three", "four", "five", "six"}) {
        seen += text.find(std::string(" ") + word + "\n") != std::string::npos ? '1' : '0';
    }
    CHECK(seen == "110101");
}

TEST_CASE_FIXTURE(LogFixture, "log: arguments of a level that is off are not evaluated") {
    open(static_cast<int>(LogLevel::kWarn));
    int calls = 0;
    const auto count = [&calls] { return ++calls; };
    RM_LOG(kInfo, "{}", count());
    CHECK(calls == 0);
    RM_LOG(kWarn, "{}", count());
    CHECK(calls == 1);
}

TEST_CASE_FIXTURE(LogFixture, "log: a level beyond the ends is the end") {
    open();
    log_set_level(99);
    CHECK(log_level() == kLogLevelMax);
    log_set_level(-1);
    CHECK(log_level() == 0);
}

TEST_CASE_FIXTURE(LogFixture, "log: an existing file is appended to") {
    std::ofstream(file) << "before\n";
    open();
    RM_LOG(kErr, "after");
    CHECK(content(file).rfind("before\n[", 0) == 0);
}

TEST_CASE_FIXTURE(LogFixture,
                  "log: after a rename lines follow the old file until it is reopened") {
    open();
    const fs::path rotated = folder / "log.1";
    RM_LOG(kErr, "first");
    fs::rename(file, rotated);
    RM_LOG(kErr, "second");
    CHECK_FALSE(fs::exists(file));
    const Status reopened = log_reopen();
    REQUIRE(reopened.ok());
    RM_LOG(kErr, "third");
    CHECK(content(rotated).find("second\n") != std::string::npos);
    CHECK(content(rotated).find("third") == std::string::npos);
    CHECK(content(file).find("third\n") != std::string::npos);
    CHECK(content(file).find("second") == std::string::npos);
}

TEST_CASE_FIXTURE(LogFixture, "log: a reopen that fails goes on with the old file") {
    const fs::path inner = folder / "inner";
    fs::create_directory(inner);
    file = inner / "log";
    open();
    const fs::path moved = folder / "moved";
    fs::rename(inner, moved);
    const Status reopened = log_reopen();
    REQUIRE_FALSE(reopened.ok());
    CHECK(reopened.error().message.find("No such file or directory") != std::string::npos);
    RM_LOG(kErr, "still here");
    CHECK(content(moved / "log").find("still here\n") != std::string::npos);
}

TEST_CASE_FIXTURE(LogFixture, "log: a file that cannot be opened is an error that names it") {
    const std::string path = (folder / "no" / "such").string();
    const Status opened = log_open(path, 5, "master");
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message ==
          "opening log file '" + path + "' failed: No such file or directory");
}

TEST_CASE_FIXTURE(LogFixture, "log: lines lost on a full disk are counted and end nothing") {
    file = "/dev/full";
    open();
    const uint64_t before = log_write_errors();
    RM_LOG(kErr, "lost");
    RM_LOG(kErr, "lost, too");
    RM_LOG(kInfo, "never written");
    CHECK(log_write_errors() == before + 2);
}

TEST_CASE_FIXTURE(LogFixture, "log: a line longer than any buffer is written whole") {
    open();
    const std::string text(100000, 'x');
    RM_LOG(kErr, "{}", text);
    CHECK(content(file).find(' ' + text + '\n') != std::string::npos);
}

TEST_CASE_FIXTURE(LogFixture,
                  "log: a file that somebody else has opened is written to, and owned") {
    open();
    RM_LOG(kNotice, "by name");
    const int before = log_fd();
    const fs::path other = folder / "other";
    const int fd = ::open(other.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    log_use(fd);
    CHECK(log_fd() == before);
    CHECK(::fcntl(fd, F_GETFD) < 0);
    CHECK((::fcntl(before, F_GETFD) & FD_CLOEXEC) != 0);
    RM_LOG(kNotice, "by descriptor");
    CHECK(content(file).find("by descriptor") == std::string::npos);
    CHECK(content(other).find("by descriptor\n") != std::string::npos);
    const Status back = log_open("", 5, "master");
    CHECK(back.ok());
    CHECK(::fcntl(before, F_GETFD) < 0);
}

// Reads what has come and is still to come, until `end` stands in it.
std::string read_until(int fd, const std::string& end) {
    std::string text;
    std::string piece(65536, '\0');
    while (text.find(end) == std::string::npos) {
        const ssize_t size = ::read(fd, piece.data(), piece.size());
        REQUIRE(size > 0);
        text.append(piece, 0, static_cast<size_t>(size));
    }
    return text;
}

// What is written to the second end of a pipe or a pair of sockets comes out of the first.
void open_ends(bool is_socket, int (&ends)[2]) {
    REQUIRE((is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                       : ::pipe2(ends, O_CLOEXEC)) == 0);
}

struct Reader {
    explicit Reader(bool is_socket) {
        int ends[2] = {-1, -1};
        open_ends(is_socket, ends);
        fd = ends[0];
        shared = ::dup(ends[1]);
        log_use(ends[1]);
    }
    ~Reader() {
        ::close(fd);
        ::close(shared);
    }
    int fd;
    int shared;  // as the one that started us has it
};

TEST_CASE_FIXTURE(LogFixture, "log: lines that nobody reads are lost, counted and told of") {
    for (const bool is_socket : {false, true}) {
        CAPTURE(is_socket);
        Reader reader(is_socket);
        const std::string text(1000, 'x');
        const uint64_t before = log_write_errors();
        uint64_t written = 0;
        while (log_write_errors() == before) {
            RM_LOG(kErr, "{} {}", written++, text);
        }
        RM_LOG(kErr, "lost, too {}", text);
        CHECK(log_write_errors() == before + 2);
        CHECK((::fcntl(reader.shared, F_GETFL) & O_NONBLOCK) == 0);

        const std::string last = std::to_string(written - 2) + ' ' + text + '\n';
        CHECK(read_until(reader.fd, last).find("lost") == std::string::npos);
        RM_LOG(kErr, "after");
        const std::string rest = read_until(reader.fd, "after\n");
        CHECK(rest.find(" 2 lines before the next could not be written and are lost\n[") !=
              std::string::npos);
        RM_LOG(kErr, "last");
        CHECK(read_until(reader.fd, "last\n").find("lost") == std::string::npos);
        CHECK(log_write_errors() == before + 2);
        const Status back = log_open("", 5, "master");
        CHECK(back.ok());
    }
}

TEST_CASE("log: a line longer than a pipe goes to its reader whole") {
    for (const bool is_socket : {false, true}) {
        CAPTURE(is_socket);
        int ends[2] = {-1, -1};
        open_ends(is_socket, ends);
        LogSink sink(60000);
        sink.set(ends[1]);
        const std::string line = std::string(3000000, 'x') + '\n';
        std::string received;
        std::thread reads([&] { received = read_until(ends[0], "\n"); });
        CHECK(sink.write(line.data(), line.size()));
        reads.join();
        CHECK(received == line);
        ::close(ends[0]);
        ::close(ends[1]);
    }
}

TEST_CASE("log: a line goes as soon as there is room for it, though for no more than that") {
    for (const bool is_socket : {false, true}) {
        CAPTURE(is_socket);
        int ends[2] = {-1, -1};
        open_ends(is_socket, ends);
        ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
        LogSink hasty(0);
        hasty.set(ends[1]);
        const std::string line = std::string(4095, 'x') + '\n';
        while (hasty.write(line.data(), line.size())) {}
        LogSink sink(60000);
        sink.set(ends[1]);
        for (int i = 0; i < 20; ++i) {
            std::thread reads([&] {
                std::string one(line.size(), '\0');
                CHECK(::read(ends[0], one.data(), one.size()) == static_cast<ssize_t>(one.size()));
            });
            CHECK(sink.write(line.data(), line.size()));
            reads.join();
            CHECK_FALSE(hasty.write(line.data(), line.size()));  // it is full again
        }
        ::close(ends[0]);
        ::close(ends[1]);
    }
}

TEST_CASE_FIXTURE(LogFixture,
                  "log: a pipe at stderr is written to without waiting for its reader") {
    int ends[2] = {-1, -1};
    open_ends(false, ends);
    const int before = ::dup(STDERR_FILENO);
    REQUIRE(::dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    Status opened = log_open("", 5, "master");
    log_open_stderr_again();
    const int fd = log_fd();
    const bool waits = (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    const bool stderr_waits = (::fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) == 0;
    const uint64_t lost = log_write_errors();
    while (log_write_errors() == lost) {
        RM_LOG(kErr, "{}", std::string(1000, 'x'));
    }
    const Status back = log_open("", 5, "master");
    ::dup2(before, STDERR_FILENO);
    for (const int used : {before, ends[0], ends[1]}) {
        ::close(used);
    }
    CHECK(opened.ok());
    CHECK(back.ok());
    CHECK(fd > STDERR_FILENO);
    CHECK(::fcntl(fd, F_GETFD) < 0);
    CHECK_FALSE(waits);
    CHECK(stderr_waits);
}

TEST_CASE_FIXTURE(LogFixture, "log: what follows a line that was cut off begins a line") {
    Reader reader(false);
    const std::string text(3000000, 'x');
    RM_LOG(kErr, "{}", text);
    const int size = ::fcntl(reader.fd, F_GETPIPE_SZ);
    std::string cut(static_cast<size_t>(size), '\0');
    size_t have = 0;
    while (have < cut.size()) {
        const ssize_t got = ::read(reader.fd, cut.data() + have, cut.size() - have);
        REQUIRE(got > 0);
        have += static_cast<size_t>(got);
    }
    CHECK(cut.find('\n') == std::string::npos);
    RM_LOG(kErr, "after");
    CHECK(read_until(reader.fd, "after\n").find("\n[") == 0);
}

TEST_CASE_FIXTURE(LogFixture, "log: a named pipe that nobody reads is not waited for at a reopen") {
    open();
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK_FALSE(log_reopen().ok());
    RM_LOG(kErr, "goes on");
}

}  // namespace
}  // namespace ringmaster::base
