// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <doctest/doctest.h>

#include "tests/unit/control/samples.h"

namespace ringmaster::control {
namespace {

using Result = FrameDecoder::Result;

TEST_CASE("control samples: every message of messages.def has a round-trip case") {
    std::set<MessageType> sampled;
    for (const Message& message : sample_messages()) {
        sampled.insert(type_of(message));
    }
#define RM_MESSAGE(number, name) \
    CHECK_MESSAGE(sampled.count(MessageType::k##name) == 1, "no sample of " #name);
#include "common/control/messages.def"
#undef RM_MESSAGE
}

TEST_CASE("control codec: every message comes back as it was sent") {
    for (const Message& message : sample_messages()) {
        CAPTURE(name_of(type_of(message)));
        const Decoded decoded = decode_all(frame_of(message));
        CHECK(decoded.end == Result::kNeedMore);
        REQUIRE(decoded.messages.size() == 1);
        CHECK(decoded.messages[0] == message);
    }
}

TEST_CASE("control codec: a message of default fields comes back, too"){
#define RM_MESSAGE(number, name)                               \
    {                                                          \
        const Message message = name{};                        \
        const Decoded decoded = decode_all(frame_of(message)); \
        REQUIRE(decoded.messages.size() == 1);                 \
        CHECK(decoded.messages[0] == message);                 \
    }
#include "common/control/messages.def"
#undef RM_MESSAGE
}

TEST_CASE("control codec: the layout is length, type, payload in little-endian") {
    const std::string frame = frame_of(ConnectFailed{.pool = 0x01020304, .shard = 5});
    CHECK(frame == std::string("\x08\0\0\0\x06\0\x04\x03\x02\x01\x05\0\0\0", 14));
    const std::string stop = frame_of(Stop{.graceful = true, .timeout_ms = 0x100});
    CHECK(stop == std::string("\x06\0\0\0\x27\0\x01\0\0\x01\0\0", 12));
    const std::string failed = frame_of(Failed{.reason = "ab"});
    CHECK(failed == std::string("\x06\0\0\0\x03\0\x02\0\0\0ab", 12));
}

TEST_CASE("control codec: encode appends and leaves what was there") {
    std::string out = "before";
    encode(Start{}, out);
    CHECK(out == "before" + frame_of(Start{}));
}

TEST_CASE("control codec: frames back to back come out in order at every feed size") {
    std::string bytes;
    for (const Message& message : sample_messages()) {
        bytes += frame_of(message);
    }
    for (const size_t feed_bytes : {100000U, 1000U, 100U, 10U, 5U, 2U, 1U}) {
        CAPTURE(feed_bytes);
        const Decoded decoded = decode_all(bytes, feed_bytes);
        CHECK(decoded.end == Result::kNeedMore);
        CHECK(decoded.messages == sample_messages());
    }
}

TEST_CASE("control codec: the stats of 100,000 servers fit a frame") {
    StatsReport report;
    report.values.resize(100000 * 13 + 6);
    report.values.back() = 42;
    const Decoded decoded = decode_all(frame_of(report), 65536);
    REQUIRE(decoded.messages.size() == 1);
    CHECK(decoded.messages[0] == Message(report));
}

TEST_CASE("control messages: a worker's numbers are below the master's") {
    for (const Message& message : sample_messages()) {
        const std::string frame = frame_of(message);
        const bool worker = static_cast<uint16_t>(type_of(message)) < kFirstMasterType;
        CAPTURE(name_of(type_of(message)));
        CHECK((decode_all(frame, frame.size(), Sender::kWorker).end == Result::kBad) == !worker);
        CHECK((decode_all(frame, frame.size(), Sender::kMaster).end == Result::kBad) == worker);
    }
}

}  // namespace
}  // namespace ringmaster::control
