// SPDX-License-Identifier: Apache-2.0
#include "master/pid_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
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

}  // namespace
}  // namespace ringmaster::master
