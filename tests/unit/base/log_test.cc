// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

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

}  // namespace
}  // namespace ringmaster::base
