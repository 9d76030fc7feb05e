// SPDX-License-Identifier: Apache-2.0
#include "config/value_forms.h"

#include "common/base/format.h"
#include "common/hash/registry.h"
#include "common/ring/ring.h"

namespace ringmaster::config {

namespace {

std::string number_between(uint64_t least, uint64_t most) {
    return base::format("a number from {} to {}", least, most);
}

template <class Rows>
std::string one_of(const Rows& rows) {
    std::string text;
    for (const auto& row : rows) {
        text += base::format("{}{}", text.empty() ? "one of " : ", ", row.name);
    }
    return text;
}

}  // namespace

Choice choice_bool() {
    return {"true", "false"};
}
Choice choice_switch() {
    return {"on", "off"};
}
Choice choice_cross_shard() {
    return {"first", "error"};
}
Choice choice_eject_mode() {
    return {"rehash", "hold"};
}
Choice choice_readmit() {
    return {"keep", "flush"};
}
Choice choice_workers() {
    return {"auto", number_between(1, kMaxWorkers)};
}
Choice choice_cpu_affinity() {
    return {"off", "auto"};
}
Choice choice_listen() {
    return {"host:port", "/path"};
}
Choice choice_server() {
    return {"host:port:weight [name]", "/path:weight [name]"};
}

std::string form_number() {
    return number_between(0, kMaxNumber);
}
std::string form_count() {
    return number_between(1, kMaxNumber);
}
std::string form_bool() {
    return choice_bool().either();
}
std::string form_secret() {
    return "any text";
}
std::string form_hash() {
    return one_of(hash::all_hashes());
}
std::string form_hash_tag() {
    return "two characters";
}
std::string form_distribution() {
    return one_of(ring::all_distributions());
}
std::string form_cross_shard() {
    return choice_cross_shard().either();
}
std::string form_resp3() {
    return "auto, on or off";
}
std::string form_eject_mode() {
    return choice_eject_mode().either();
}
std::string form_percent() {
    return number_between(1, kMaxPercent);
}
std::string form_version() {
    return base::format("a word of at most {} printable ASCII characters", kMaxVersionBytes);
}
std::string form_switch() {
    return choice_switch().either();
}
std::string form_readmit() {
    return choice_readmit().either();
}
std::string form_listen() {
    return choice_listen().either();
}
std::string form_server() {
    return choice_server().either();
}

std::string form_workers() {
    return choice_workers().either();
}
std::string form_cpu_affinity() {
    return choice_cpu_affinity().either();
}
std::string form_log_level() {
    return number_between(0, kMaxLogLevel);
}
std::string form_port() {
    return base::format("a port from 1 to {}", kMaxPort);
}
std::string form_text() {
    return "text";
}
std::string form_path() {
    return "a path";
}
std::string form_socket_path() {
    return base::format("a path of at most {} bytes", kMaxUnixPathBytes);
}
std::string form_host_or_path() {
    return "a host or the absolute path of a Unix socket";
}
std::string form_milliseconds() {
    return base::format("a number of milliseconds from 0 to {}", kMaxNumber);
}
std::string form_memory() {
    return "auto, bytes, or a number followed by k, m or g, e.g. 512m";
}

}  // namespace ringmaster::config
