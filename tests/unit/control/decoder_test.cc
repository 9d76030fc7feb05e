// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tests/unit/control/samples.h"

namespace ringmaster::control {
namespace {

using Result = FrameDecoder::Result;

std::string frame(uint32_t length, uint16_t type, const std::string& payload) {
    std::string out;
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(length >> shift));
    }
    out.push_back(static_cast<char>(type & 0xff));
    out.push_back(static_cast<char>(type >> 8));
    return out + payload;
}

std::string frame(MessageType type, const std::string& payload) {
    return frame(static_cast<uint32_t>(payload.size()), static_cast<uint16_t>(type), payload);
}

std::string error_of(const std::string& bytes) {
    const Decoded decoded = decode_all(bytes);
    CHECK(decoded.end == Result::kBad);
    CHECK(decoded.messages.empty());
    return decoded.error;
}

TEST_CASE("control decoder: an empty stream needs more") {
    FrameDecoder decoder;
    Message message;
    CHECK(decoder.next(message) == Result::kNeedMore);
}

TEST_CASE("control decoder: a frame cut at any byte needs more, and the rest completes it") {
    for (const Message& sample : sample_messages()) {
        const std::string bytes = frame_of(sample);
        for (size_t cut = 0; cut < bytes.size(); ++cut) {
            CAPTURE(cut);
            FrameDecoder decoder;
            Message message;
            decoder.append(std::string_view(bytes).substr(0, cut));
            REQUIRE(decoder.next(message) == Result::kNeedMore);
            decoder.append(std::string_view(bytes).substr(cut));
            REQUIRE(decoder.next(message) == Result::kMessage);
            CHECK(message == sample);
        }
    }
}

TEST_CASE("control decoder: a payload one byte short or long is bad, whatever the message") {
    for (const Message& sample : sample_messages()) {
        CAPTURE(name_of(type_of(sample)));
        const std::string payload = frame_of(sample).substr(kFrameHeaderBytes);
        CHECK(error_of(frame(type_of(sample), payload + "x")) ==
              "message " + std::string(name_of(type_of(sample))) + " has 1 bytes too many");
        if (!payload.empty()) {
            error_of(frame(type_of(sample), payload.substr(0, payload.size() - 1)));
        }
    }
}

TEST_CASE("control decoder: an unknown type is bad") {
    CHECK(error_of(frame(0, 0, "")) == "unknown message type 0");
    CHECK(error_of(frame(0, 65535, "")) == "unknown message type 65535");
}

TEST_CASE("control decoder: a frame over the limit is refused from its header") {
    const auto most = static_cast<uint32_t>(kMaxFrameBytes - kFrameHeaderBytes);
    const auto type = static_cast<uint16_t>(MessageType::kFailed);
    CHECK(decode_all(frame(most, type, "")).end == Result::kNeedMore);
    CHECK(decode_all(frame(most + 1, type, "")).end == Result::kBad);
    CHECK(decode_all(frame(UINT32_MAX, type, "")).end == Result::kBad);
}

TEST_CASE("control decoder: the largest frame is a message") {
    Failed failed;
    failed.reason.assign(kMaxFrameBytes - kFrameHeaderBytes - 4, 'x');
    const Decoded decoded = decode_all(frame_of(failed));
    REQUIRE(decoded.messages.size() == 1);
    CHECK((decoded.messages[0] == Message(failed)));
}

TEST_CASE("control decoder: a count beyond the bytes is bad") {
    const std::string huge = "\xff\xff\xff\xff";
    CHECK(error_of(frame(MessageType::kFailed, huge)) ==
          "message Failed announces more than it holds");
    CHECK(error_of(frame(MessageType::kListeners, std::string(8, '\0') + huge + "1234")) ==
          "message Listeners announces more than it holds");
    error_of(frame(MessageType::kBeat, std::string(16, '\0') + huge + std::string(64, '\0')));
    error_of(frame(MessageType::kStatsReport, std::string(32, '\0') + huge));
    error_of(frame(MessageType::kRingState, std::string(20, '\0') + huge + std::string(64, '\0')));
    // One more than fits.
    const std::string two("\2\0\0\0", 4);
    CHECK(
        error_of(frame(MessageType::kListeners, std::string(8, '\0') + two + "123456789012345")) ==
        "message Listeners announces more than it holds");
}

TEST_CASE("control decoder: a truth value is 0 or 1, so that each message has one form") {
    const std::string rest(5, '\0');
    CHECK(decode_all(frame(MessageType::kStop, '\0' + rest)).end == Result::kNeedMore);
    CHECK(decode_all(frame(MessageType::kStop, '\1' + rest)).end == Result::kNeedMore);
    CHECK(error_of(frame(MessageType::kStop, '\2' + rest)) ==
          "message Stop has a truth value that is neither 0 nor 1");
}

TEST_CASE("control decoder: after a bad frame nothing is believed any more") {
    FrameDecoder decoder;
    Message message;
    decoder.append(frame(0, 0, ""));
    REQUIRE(decoder.next(message) == Result::kBad);
    decoder.append(frame_of(Start{}));
    CHECK(decoder.next(message) == Result::kBad);
    CHECK(decoder.error() == "unknown message type 0");
    CHECK(message.index() == 0);
}

TEST_CASE("control decoder: what came before a bad frame is delivered") {
    const Decoded decoded = decode_all(frame_of(Start{}) + frame(0, 0, "") + frame_of(Start{}));
    CHECK(decoded.end == Result::kBad);
    CHECK(decoded.messages == std::vector<Message>{Start{}});
}

TEST_CASE("control decoder: a type of the wrong side is bad before its payload is there") {
    const std::string header = frame(1000, static_cast<uint16_t>(MessageType::kRingState), "");
    CHECK(decode_all(header, 100, Sender::kMaster).end == Result::kNeedMore);
    const Decoded decoded = decode_all(header, 100, Sender::kWorker);
    CHECK(decoded.end == Result::kBad);
    CHECK(decoded.error == "message type 34 (RingState) is not the other side's to send");
}

TEST_CASE("control decoder: memory does not grow with the length of the stream") {
    const std::string beat = frame_of(Suspect{.server = "1", .epoch = 2});
    FrameDecoder decoder;
    Message message;
    for (int i = 0; i < 100000; ++i) {
        decoder.append(beat);
        REQUIRE(decoder.next(message) == Result::kMessage);
    }
    CHECK(decoder.capacity_bytes() < 4096);
}

TEST_CASE("control decoder: a large message does not keep its memory") {
    FrameDecoder decoder;
    Message message;
    ConfigBytes config;
    config.bytes.assign(1 << 24, 'x');
    decoder.append(frame_of(config));
    REQUIRE(decoder.next(message) == Result::kMessage);
    CHECK(decoder.next(message) == Result::kNeedMore);
    CHECK(decoder.capacity_bytes() < 4096);
}

}  // namespace
}  // namespace ringmaster::control
