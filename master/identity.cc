// SPDX-License-Identifier: Apache-2.0
#include "master/identity.h"

#include <cerrno>
#include <charconv>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "common/base/format.h"

namespace ringmaster::master {

namespace {

using base::format;
using config::IdentityProblem;

// More than any real user has, and what the worker's environment has room for.
constexpr int kGroupsMax = 1024;

// An id as a number; the largest one means "none" to the kernel.
std::optional<uint32_t> parse_id(const std::string& text) {
    uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id == UINT32_MAX) {
        return std::nullopt;
    }
    return id;
}

// The look-ups say "not there" in many ways; what is left is a list that cannot be read.
std::string why_not_found(const char* what, int error) {
    const bool is_absence =
        error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
    return is_absence ? format("no such {}", what)
                      : format("cannot look up the {}: {}", what, base::errno_text(error));
}

IdentityProblem look_up_group(const std::string& group, gid_t& gid) {
    errno = 0;
    const struct group* entry = ::getgrnam(group.c_str());
    const int error = errno;
    if (entry != nullptr) {
        gid = entry->gr_gid;
        return {};
    }
    const std::optional<uint32_t> number = parse_id(group);
    if (!number) {
        return {.in_group = true, .message = why_not_found("group", error), .hint = {}};
    }
    gid = *number;
    return {};
}

}  // namespace

IdentityProblem look_up_identity(const std::string& user, const std::string& group,
                                 io::Credentials& found) {
    errno = 0;
    const passwd* entry = ::getpwnam(user.c_str());
    const int error = errno;
    if (entry == nullptr) {
        const std::optional<uint32_t> number = parse_id(user);
        if (!number) {
            return {.in_group = false, .message = why_not_found("user", error), .hint = {}};
        }
        found.uid = *number;
        entry = ::getpwuid(*number);
    }
    if (entry == nullptr && group.empty()) {
        return {.in_group = false,
                .message = "no user has this number, so its group is not known",
                .hint = "add 'group'"};
    }
    std::string name;
    if (entry != nullptr) {
        name = entry->pw_name;
        found.uid = entry->pw_uid;
        found.gid = entry->pw_gid;
    }
    if (!group.empty()) {
        if (IdentityProblem problem = look_up_group(group, found.gid); !problem.message.empty()) {
            return problem;
        }
    }
    if (name.empty()) {
        found.groups = {found.gid};
        return {};
    }
    found.groups.resize(kGroupsMax);
    int count = kGroupsMax;
    if (::getgrouplist(name.c_str(), found.gid, found.groups.data(), &count) < 0) {
        return {
            .in_group = false, .message = format("in more than {} groups", kGroupsMax), .hint = {}};
    }
    found.groups.resize(static_cast<size_t>(count));
    return {};
}

base::Result<std::optional<io::Credentials>> worker_credentials(
    const config::ProcessConfig& process) {
    if (!process.user) {
        return std::optional<io::Credentials>();
    }
    io::Credentials wanted;
    const std::string group = process.group.value_or("");
    const IdentityProblem problem = look_up_identity(*process.user, group, wanted);
    if (!problem.message.empty()) {
        return base::Error{format("{} '{}': {}", problem.in_group ? "group" : "user",
                                  problem.in_group ? group : *process.user, problem.message)};
    }
    if (::geteuid() == 0) {
        return std::optional<io::Credentials>(std::move(wanted));
    }
    if (wanted.uid != ::geteuid() || (!group.empty() && wanted.gid != ::getegid())) {
        return base::Error{
            format("workers cannot run as user '{}'{} (uid {}, gid {}): only a start by root can "
                   "change to others, and this is uid {}, gid {}",
                   *process.user, group.empty() ? "" : format(", group '{}'", group), wanted.uid,
                   wanted.gid, ::geteuid(), ::getegid())};
    }
    return std::optional<io::Credentials>();
}

}  // namespace ringmaster::master
