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
        out_ = "version\r\n";
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
        out_ = "flush_all\r\n";
    }
    return Status::kSend;
}

}  // namespace ringmaster::health
