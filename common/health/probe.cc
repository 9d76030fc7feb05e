// SPDX-License-Identifier: Apache-2.0
#include "common/health/probe.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace ringmaster::health {

namespace {

// "-BUSY" is here while a script runs for too long: every request gets it too.
constexpr std::array<std::string_view, 6> kWouldNotServe = {
    "-LOADING", "-MASTERDOWN", "-BUSY", "-CLUSTERDOWN", "-MISCONF", "-NOAUTH"};

// With spaces, which servers skip: a server that speaks binary only says nothing before it has 24
// bytes, the length of a header.
constexpr std::string_view kVersion = "version               \r\n";
constexpr size_t kHeaderBytes = 24;
static_assert(kVersion.size() == kHeaderBytes);

// memcached's binary protocol.
constexpr unsigned char kRequestMagic = 0x80;
constexpr unsigned char kReplyMagic = 0x81;
constexpr unsigned char kFlushOpcode = 0x08;
constexpr unsigned char kNoopOpcode = 0x0a;
constexpr uint16_t kSuccess = 0;
constexpr uint16_t kAuthFailed = 0x20;

std::string packet(unsigned char opcode) {
    std::string bytes(kHeaderBytes, '\0');
    bytes[0] = static_cast<char>(kRequestMagic);
    bytes[1] = static_cast<char>(opcode);
    return bytes;
}

// A big-endian number in `bytes`.
uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
    uint32_t number = 0;
    for (const char c : bytes.substr(at, size)) {
        number = number << 8 | static_cast<unsigned char>(c);
    }
    return number;
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
    out += "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string_view word : words) {
        out += "$" + std::to_string(word.size()) + "\r\n";
        out += word;
        out += "\r\n";
    }
}

// The first word of `line` is `word`: -BUSYGROUP is not -BUSY.
bool begins_with_word(std::string_view line, std::string_view word) {
    return line.substr(0, word.size()) == word &&
           (line.size() == word.size() || line[word.size()] == ' ');
}

bool would_not_serve(std::string_view line) {
    return std::any_of(kWouldNotServe.begin(), kWouldNotServe.end(),
                       [&](std::string_view word) { return begins_with_word(line, word); });
}

}  // namespace

Probe::Probe(ProbeSettings settings) : settings_(std::move(settings)), step_(first_step()) {
    if (!settings_.redis) {
        out_ = settings_.binary ? packet(kNoopOpcode) : std::string(kVersion);
        return;
    }
    if (!settings_.auth.empty()) {
        append_command(out_, {"AUTH", settings_.auth});
    }
    if (settings_.db > 0) {
        append_command(out_, {"SELECT", std::to_string(settings_.db)});
    }
    append_command(out_, {"PING"});
}

Probe::Step Probe::first_step() const noexcept {
    if (settings_.redis && !settings_.auth.empty()) {
        return Step::kAuth;
    }
    return settings_.redis && settings_.db > 0 ? Step::kSelect : Step::kPing;
}

Probe::Step Probe::step_after(Step step) const noexcept {
    return step == Step::kAuth && settings_.db > 0 ? Step::kSelect : Step::kPing;
}

Probe::Status Probe::feed(std::string_view bytes) {
    out_.clear();
    if (settings_.binary) {
        return feed_binary(bytes);
    }
    for (size_t i = 0; i < bytes.size(); ++i) {
        if (step_ == Step::kDone) {
            return Status::kBad;  // nobody asked for this
        }
        const char c = bytes[i];
        const bool complete = c == '\n' && !line_.empty() && line_.back() == '\r';
        if (!complete) {
            // A '\r' may only stand before the end.
            const bool torn = !line_.empty() && line_.back() == '\r';
            const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\r';
            if (torn || is_control || line_.size() >= kLineMax) {
                step_ = Step::kDone;
                return Status::kBad;
            }
            line_ += c;
            continue;
        }
        line_.pop_back();
        Status status = on_line();
        if (status == Status::kNeedMore) {
            line_.clear();
            continue;
        }
        if (i + 1 < bytes.size()) {
            status = Status::kBad;
        }
        if (status == Status::kSend) {
            line_.clear();
        } else {
            step_ = Step::kDone;
        }
        return status;
    }
    return step_ == Step::kDone ? Status::kBad : Status::kNeedMore;
}

Probe::Status Probe::on_line() {
    return settings_.redis ? on_redis_line() : on_memcached_line();
}

Probe::Status Probe::on_redis_line() {
    const bool is_error = !line_.empty() && line_.front() == '-';
    const bool is_simple = !line_.empty() && line_.front() == '+';
    if (!is_error && !is_simple) {
        return Status::kBad;
    }
    const bool is_preamble = step_ == Step::kAuth || step_ == Step::kSelect;
    // The PING behind AUTH and SELECT gets -NOAUTH too, where that matters.
    if (is_error && would_not_serve(line_) &&
        !(is_preamble && begins_with_word(line_, "-NOAUTH"))) {
        return Status::kBad;
    }
    if (is_preamble) {
        selected_ = selected_ && (step_ != Step::kSelect || is_simple);
        step_ = step_after(step_);
        return Status::kNeedMore;
    }
    if (step_ == Step::kFlush) {
        return is_simple ? Status::kGood : Status::kBad;
    }
    return after_ping();
}

Probe::Status Probe::on_memcached_line() {
    if (step_ == Step::kFlush) {
        return line_ == "OK" ? Status::kGood : Status::kBad;
    }
    // "ERROR": speaks the protocol, but does not know the command.
    if (!begins_with_word(line_, "VERSION") && line_ != "ERROR") {
        return Status::kBad;
    }
    return after_ping();
}

Probe::Status Probe::feed_binary(std::string_view bytes) {
    const auto end = [this](Status status, std::string reason) {
        line_ = std::move(reason);
        step_ = status == Status::kSend ? Step::kFlush : Step::kDone;
        return status;
    };
    if (step_ == Step::kDone) {
        return Status::kBad;  // nobody asked for this
    }
    line_ += bytes;
    const unsigned char opcode = step_ == Step::kFlush ? kFlushOpcode : kNoopOpcode;
    const auto is = [this](size_t at, unsigned char wanted) {
        return line_.size() <= at || static_cast<unsigned char>(line_[at]) == wanted;
    };
    if (!is(0, kReplyMagic) || !is(1, opcode)) {
        return end(Status::kBad, "no reply of the binary protocol");
    }
    if (line_.size() < kHeaderBytes) {
        return Status::kNeedMore;
    }
    const size_t body_bytes = number_at(line_, 8, 4);
    if (body_bytes > kLineMax || line_.size() > kHeaderBytes + body_bytes) {
        return end(Status::kBad, "too long");
    }
    if (line_.size() < kHeaderBytes + body_bytes) {
        return Status::kNeedMore;
    }
    const auto status = static_cast<uint16_t>(number_at(line_, 6, 2));
    const Status outcome = on_packet(status);
    return end(outcome, outcome == Status::kBad ? "status " + std::to_string(status) : "");
}

Probe::Status Probe::on_packet(uint16_t status) {
    if (step_ == Step::kFlush) {
        return status == kSuccess ? Status::kGood : Status::kBad;
    }
    return status == kAuthFailed ? Status::kBad : after_ping();
}

Probe::Status Probe::after_ping() {
    if (!settings_.flush) {
        return Status::kGood;
    }
    if (!selected_) {
        return Status::kBad;  // it would empty another database
    }
    step_ = Step::kFlush;
    if (settings_.redis) {
        append_command(out_, {"FLUSHDB"});
    } else {
        out_ = settings_.binary ? packet(kFlushOpcode) : "flush_all\r\n";
    }
    return Status::kSend;
}

}  // namespace ringmaster::health
