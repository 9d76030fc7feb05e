// SPDX-License-Identifier: Apache-2.0
#include "master/config_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/io/resolver.h"
#include "master/identity.h"

namespace ringmaster::master {

namespace {

using base::format;

constexpr size_t kReadLimitBytes = (size_t{16} << 20) + 1;

// What config::LoadOptions::resolve_listen asks for. The port is checked by the loader.
std::string why_unresolvable(const std::string& host, const std::string& /*port*/) {
    const auto answer = io::resolve_now(host, 0);
    return answer ? std::string() : answer.error().message;
}

// What config::LoadOptions::check_identity asks for.
config::IdentityProblem why_nobody(const std::string& user, const std::string& group) {
    io::Credentials found;
    return look_up_identity(user, group, found);
}

base::Result<std::string> read_all(int fd) {
    std::string bytes;
    char piece[65536];
    while (bytes.size() < kReadLimitBytes) {
        const ssize_t count = ::read(fd, piece, sizeof piece);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return base::Error{base::errno_text(errno)};
        }
        if (count == 0) {
            break;
        }
        bytes.append(piece, static_cast<size_t>(count));
    }
    return bytes;
}

}  // namespace

base::Result<std::string> read_config_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return base::Error{
            format("cannot open configuration file '{}': {}", path, base::errno_text(errno))};
    }
    auto bytes = read_all(fd);
    ::close(fd);
    if (!bytes) {
        return base::Error{
            format("cannot read configuration file '{}': {}", path, bytes.error().message)};
    }
    return bytes;
}

ConfigFile load_config_file(const std::string& path) {
    auto bytes = read_config_file(path);
    if (!bytes) {
        ConfigFile file;
        file.errors.push_back("ringmaster: " + bytes.error().message);
        return file;
    }
    return check_config(path, std::move(*bytes));
}

ConfigFile check_config(const std::string& path, std::string bytes) {
    ConfigFile file;
    file.bytes = std::move(bytes);
    config::LoadResult result = config::load(
        file.bytes, {.resolve_listen = why_unresolvable, .check_identity = why_nobody});
    for (const config::Diagnostic& diagnostic : result.diagnostics) {
        auto& lines = diagnostic.severity == config::Severity::kError ? file.errors : file.warnings;
        lines.push_back(config::format_diagnostic(path, diagnostic));
    }
    file.config = std::move(result.config);
    return file;
}

}  // namespace ringmaster::master
