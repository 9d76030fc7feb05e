// SPDX-License-Identifier: Apache-2.0
#include "master/identity.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <unistd.h>

namespace ringmaster::master {
namespace {

constexpr const char* kNobodysNumber = "4294900000";

TEST_CASE("identity: a user by name has its own group, and is in it") {
    io::Credentials found;
    CHECK(look_up_identity("root", "", found).message.empty());
    CHECK(found.uid == 0);
    CHECK(found.gid == 0);
    CHECK(std::find(found.groups.begin(), found.groups.end(), 0U) != found.groups.end());
}

TEST_CASE("identity: a number that is a user's works as its name does") {
    io::Credentials by_name;
    io::Credentials by_number;
    CHECK(look_up_identity("root", "", by_name).message.empty());
    CHECK(look_up_identity("0", "", by_number).message.empty());
    CHECK(by_name == by_number);
}

TEST_CASE("identity: group replaces the user's own") {
    io::Credentials found;
    CHECK(look_up_identity("root", "12345", found).message.empty());
    CHECK(found.gid == 12345);
    CHECK(std::find(found.groups.begin(), found.groups.end(), 12345U) != found.groups.end());
}

TEST_CASE("identity: a number that is nobody's needs a group and has no other") {
    io::Credentials found;
    const auto problem = look_up_identity(kNobodysNumber, "", found);
    CHECK_FALSE(problem.in_group);
    CHECK(problem.hint == "add 'group'");
    CHECK(look_up_identity(kNobodysNumber, "12345", found).message.empty());
    CHECK(found == io::Credentials{.uid = 4294900000, .gid = 12345, .groups = {12345}});
}

TEST_CASE("identity: what does not exist is said of the right key") {
    io::Credentials found;
    for (const char* name : {"no-such-user-here", "-1", "4294967295", "99999999999", "0x0", "1 "}) {
        CAPTURE(name);
        const auto user = look_up_identity(name, "0", found);
        CHECK(user.message == "no such user");
        CHECK_FALSE(user.in_group);
        const auto group = look_up_identity("root", name, found);
        CHECK(group.message == "no such group");
        CHECK(group.in_group);
    }
}

TEST_CASE("identity: nothing is asked, nothing changes") {
    const auto credentials = worker_credentials({});
    REQUIRE(credentials);
    CHECK_FALSE(credentials->has_value());
}

TEST_CASE("identity: only root hands workers to somebody else") {
    config::ProcessConfig process;
    process.user = kNobodysNumber;
    process.group = "12345";
    const auto other = worker_credentials(process);
    process.user = std::to_string(::geteuid());
    process.group = std::to_string(::getegid());
    const auto same = worker_credentials(process);
    REQUIRE(same);
    if (::geteuid() == 0) {
        REQUIRE(other);
        REQUIRE(other->has_value());
        CHECK((*other)->uid == 4294900000);
        CHECK(same->has_value());
    } else {
        REQUIRE_FALSE(other);
        CHECK(other.error().message.find("only a start by root") != std::string::npos);
        CHECK_FALSE(same->has_value());
    }
}

}  // namespace
}  // namespace ringmaster::master
