// SPDX-License-Identifier: Apache-2.0
#include "master/worker_environment.h"

#include <charconv>
#include <cstdlib>

#include <sys/stat.h>

#include "common/base/format.h"

namespace ringmaster::master {

namespace {

// The number up to the next ';', which is removed from `text` with it.
template <class T>
bool take_number(std::string_view& text, T& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ';') {
        return false;
    }
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
    return true;
}

}  // namespace

std::string write_worker_environment(const WorkerEnvironment& environment) {
    std::string text = base::format("{};{};{};{};{};", environment.slot, environment.log_level,
                                    environment.master_pid, static_cast<int>(environment.has_log),
                                    environment.cpu);
    if (environment.credentials) {
        text += base::format("{};{};", environment.credentials->uid, environment.credentials->gid);
        for (const gid_t group : environment.credentials->groups) {
            text += base::format("{};", group);
        }
    }
    return text;
}

std::optional<WorkerEnvironment> parse_worker_environment(std::string_view text) {
    WorkerEnvironment environment;
    int has_log = 0;
    if (!take_number(text, environment.slot) || !take_number(text, environment.log_level) ||
        !take_number(text, environment.master_pid) || !take_number(text, has_log) ||
        !take_number(text, environment.cpu) || environment.cpu < -1) {
        return std::nullopt;
    }
    environment.has_log = has_log != 0;
    if (text.empty()) {
        return environment;
    }
    io::Credentials& credentials = environment.credentials.emplace();
    if (!take_number(text, credentials.uid) || !take_number(text, credentials.gid)) {
        return std::nullopt;
    }
    while (!text.empty()) {
        if (!take_number(text, credentials.groups.emplace_back())) {
            return std::nullopt;
        }
    }
    return environment;
}

std::optional<WorkerEnvironment> worker_environment_of_this_process() {
    const char* text = std::getenv(kWorkerVariable);
    struct stat status {};
    if (text == nullptr || ::fstat(kWorkerControlFd, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return std::nullopt;
    }
    return parse_worker_environment(text);
}

}  // namespace ringmaster::master
