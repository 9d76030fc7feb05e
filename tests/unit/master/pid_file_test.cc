// SPDX-License-Identifier: Apache-2.0
#include "master/pid_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringmaster::master {
namespace {

namespace fs = std::filesystem;

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "rm_pid_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("pid file: holds the decimal pid and is removed at the end") {
    const Folder folder;
    const fs::path path = folder.path / "pid";
    {
        PidFile file;
        REQUIRE(file.open(path.string()).ok());
        CHECK(content(path) == std::to_string(::getpid()));
    }
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE("pid file: a second owner is refused and told who runs") {
    const Folder folder;
    const fs::path path = folder.path / "pid";
    PidFile first;
    REQUIRE(first.open(path.string()).ok());
    {
        PidFile second;
        const base::Status status = second.open(path.string());
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().message.find("already running with pid " +
                                          std::to_string(::getpid())) == 0);
    }
    CHECK(content(path) == std::to_string(::getpid()));
}

TEST_CASE("pid file: one left by a crash is taken over, longer content is cut") {
    const Folder folder;
    const fs::path path = folder.path / "pid";
    std::ofstream(path) << "99999999999999999999";
    PidFile file;
    REQUIRE(file.open(path.string()).ok());
    CHECK(content(path) == std::to_string(::getpid()));
}

TEST_CASE("pid file: a file that somebody else put there meanwhile stays") {
    const Folder folder;
    const fs::path path = folder.path / "pid";
    {
        PidFile file;
        REQUIRE(file.open(path.string()).ok());
        fs::remove(path);
        std::ofstream(path) << "theirs";
    }
    CHECK(content(path) == "theirs");
}

TEST_CASE("pid file: one that cannot be made is an error with the reason") {
    const Folder folder;
    PidFile file;
    const base::Status status = file.open((folder.path / "none" / "pid").string());
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("pid file: what is not a regular file is written to, twice if need be, and stays") {
    const Folder folder;
    const fs::path path = folder.path / "fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    {
        PidFile first;
        PidFile second;
        CHECK(first.open(path.string()).ok());
        CHECK(second.open(path.string()).ok());
    }
    CHECK(fs::is_fifo(path));
    char text[64];
    const ssize_t size = ::read(reader, text, sizeof text);
    const std::string pid = std::to_string(::getpid());
    CHECK(std::string(text, size > 0 ? static_cast<size_t>(size) : 0) == pid + pid);
    ::close(reader);
}

TEST_CASE("pid file: what cannot be written and is not a regular file stays") {
    const Folder folder;
    const fs::path path = folder.path / "fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const int full = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(full >= 0);
    const std::string block(4096, 'x');
    while (::write(full, block.data(), block.size()) > 0) {}
    {
        PidFile file;
        const base::Status status = file.open(path.string());
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().message.find("cannot write pid file '" + path.string() + "'") == 0);
    }
    CHECK(fs::is_fifo(path));
    ::close(full);
}

TEST_CASE("pid file: a symbolic link stays, the file it leads to goes") {
    const Folder folder;
    const fs::path target = folder.path / "pid";
    const fs::path link = folder.path / "link";
    fs::create_symlink(target, link);
    {
        PidFile file;
        REQUIRE(file.open(link.string()).ok());
        CHECK(content(target) == std::to_string(::getpid()));
    }
    CHECK(fs::is_symlink(link));
    CHECK_FALSE(fs::exists(target));
}

}  // namespace
}  // namespace ringmaster::master
