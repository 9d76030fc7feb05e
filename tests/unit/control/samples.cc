// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/samples.h"

#include <cstdint>
#include <type_traits>

namespace ringmaster::control {

std::vector<Message> sample_messages() {
    return {
        Hello{.schema = 7, .slot = 3, .pid = 0x89abcdef},
        Ready{.generation = 0x0123456789abcdef},
        Failed{.reason = std::string("no\0such\nfile", 12)},
        Beat{.generation = 4,
             .client_connections = 4000000000,
             .lag_ms = 12,
             .pools = {{.epoch = UINT64_MAX, .in_fallback = true, .last_success_ms = {0, 1, 77}},
                       {.epoch = 3, .last_success_ms = {}}}},
        Suspect{.generation = 4,
                .pool = 2,
                .server = "127.0.0.1:6379:1",
                .epoch = 9,
                .cause = 111,
                .first_failure_ms = 1ULL << 33,
                .sent_ms = (1ULL << 33) + 5},
        Prepared{.generation = 5, .reason = "no memory"},
        Committed{.generation = 5, .held = {0, 7}},
        StatsReport{.request_id = 9,
                    .generation = 3,
                    .total_connections = INT64_MAX,
                    .curr_connections = INT64_MIN,
                    .values = {-1, 0, 1, INT64_MIN, INT64_MAX}},
        ConnectFailed{.pool = 1, .shard = 65536},
        AcceptStopped{},
        ClientAsk{.pool = 3},
        ClientGone{.pool = 70000, .count = 2},
        ConfigBytes{.generation = 2,
                    .memory_bytes = 1ULL << 33,
                    .file_name = "a/b.yml",
                    .bytes = "alpha:\n  listen: x\n"},
        Listeners{.generation = 2, .uses = {{.listener = 5, .pool = 0}, {.listener = UINT32_MAX}}},
        RingState{.generation = 2,
                  .pool = 1,
                  .epoch = 77,
                  .servers = {{.verdict = 1,
                               .cause = 111,
                               .probing_until_ms = 1ULL << 40,
                               .address = std::string("\2\0\x2b\xcb", 4)},
                              {.address = ""}}},
        Reconnect{.generation = 2, .pool = 1, .server = "shard-1"},
        Prepare{.generation = 3, .memory_bytes = 1, .file_name = "b.yml", .bytes = "beta:\n"},
        Commit{.generation = 3,
               .uses = {{.listener = 1, .pool = 2}},
               .removed = {4, 5},
               .rings = {{.generation = 3,
                          .pool = 0,
                          .epoch = 1,
                          .servers = {{.cause = 7, .address = ""}}}},
               .drain_timeout_ms = 60000,
               .surplus = true},
        Abort{.generation = 3},
        ReleaseListeners{.listeners = {1, 9}},
        Start{},
        StatsRequest{.request_id = 1ULL << 40},
        LogLevel{.level = 11},
        LogReopen{},
        Stop{.graceful = false, .drain = true, .timeout_ms = 10000},
        ClientAnswer{.pool = 3, .granted = true},
    };
}

std::string frame_of(const Message& message) {
    std::string out;
    std::visit(
        [&out](const auto& typed) {
            if constexpr (!std::is_same_v<decltype(typed), const std::monostate&>) {
                encode(typed, out);
            }
        },
        message);
    return out;
}

Decoded decode_all(std::string_view bytes, size_t feed_bytes, Sender sender) {
    FrameDecoder decoder(sender);
    Decoded decoded;
    for (size_t at = 0; at < bytes.size(); at += feed_bytes) {
        decoder.append(bytes.substr(at, feed_bytes));
        Message message;
        while ((decoded.end = decoder.next(message)) == FrameDecoder::Result::kMessage) {
            decoded.messages.push_back(message);
        }
    }
    decoded.error = decoder.error();
    return decoded;
}

}  // namespace ringmaster::control
