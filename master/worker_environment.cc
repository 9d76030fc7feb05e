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
    return base::format("{};{};{}", environment.slot, environment.log_level, environment.log_file);
}

std::optional<WorkerEnvironment> parse_worker_environment(std::string_view text) {
    WorkerEnvironment environment;
    if (!take_number(text, environment.slot) || !take_number(text, environment.log_level)) {
        return std::nullopt;
    }
    environment.log_file = std::string(text);
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
