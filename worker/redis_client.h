// SPDX-License-Identifier: Apache-2.0
// What a Redis client has said about itself and how it wants its replies. Most clients say little:
// a session has one of these only once something differs from what it begins with.
#pragma once

#include <cstdint>
#include <string>

namespace ringmaster::worker {

struct RedisClient {
    // ---- CLIENT SETNAME, SETINFO, NO-EVICT, NO-TOUCH ----
    std::string name;
    std::string lib_name;
    std::string lib_version;
    bool no_evict = false;
    bool no_touch = false;

    // ---- CLIENT REPLY ----
    bool replies_off = false;
    bool skip_next = false;  // the next request is not answered
    bool skipping = false;   // the one that is being handled is not answered

    // What is handled now gets no reply.
    [[nodiscard]] bool is_mute() const noexcept { return replies_off || skipping; }
    // Requests may take the quick way, which always answers.
    [[nodiscard]] bool answers_all() const noexcept {
        return !replies_off && !skip_next && !skipping;
    }
};

}  // namespace ringmaster::worker
