// SPDX-License-Identifier: Apache-2.0
#include "master/probe_connection.h"

#include <cerrno>
#include <span>
#include <utility>

#include "common/base/format.h"

namespace ringmaster::master {

using health::ProbeResult;

ProbeConnection::ProbeConnection(io::Loop& loop, const io::SocketAddress& address,
                                 health::ProbeSettings settings, uint32_t timeout_ms)
    : loop_(loop),
      address_(address),
      settings_(std::move(settings)),
      probe_(settings_),
      deadline_ms_(loop.active_ms() + timeout_ms) {
    if (address_.empty()) {
        finish(ProbeResult::kUnknown, "its name does not resolve");
        return;
    }
    connect();
}

void ProbeConnection::connect() {
    const int error = stream_.connect(loop_, address_, *this);
    if (error != 0) {
        fail(error);
    }
}

const std::optional<ProbeConnection::Outcome>& ProbeConnection::judge(uint64_t active_ms) {
    if (!outcome_ && active_ms >= deadline_ms_) {
        fail(ETIMEDOUT);
    }
    if (outcome_) {
        stream_.close();
    } else if (std::exchange(ask_in_binary_, false)) {
        stream_.close();
        settings_.binary = true;
        probe_ = health::Probe(settings_);
        connect();
    }
    return outcome_;
}

void ProbeConnection::finish(ProbeResult result, std::string reason) {
    if (!outcome_) {
        outcome_.emplace(Outcome{.result = result, .reason = std::move(reason)});
    }
}

void ProbeConnection::fail(int error) {
    finish(health::counts_as_failure(error) ? ProbeResult::kBad : ProbeResult::kUnknown,
           error == health::kServerClosed ? std::string("it closed the connection")
                                          : base::errno_text(error));
}

// A few dozen bytes into the empty buffer of a new connection: a kernel that does not take them at
// once has other troubles than this server.
void ProbeConnection::send() {
    const std::string_view bytes = probe_.bytes_to_send();
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t sent = stream_.try_write(&piece, 1);
    if (sent < 0) {
        fail(static_cast<int>(-sent));
    } else if (static_cast<size_t>(sent) != bytes.size()) {
        finish(ProbeResult::kUnknown, "the probe could not be sent");
    }
}

std::span<char> ProbeConnection::on_alloc() noexcept {
    return buffer_;
}

void ProbeConnection::on_read(size_t size_bytes) noexcept {
    if (outcome_) {
        return;
    }
    switch (probe_.feed({buffer_.data(), size_bytes})) {
        case health::Probe::Status::kNeedMore:
            return;
        case health::Probe::Status::kSend:
            send();
            return;
        case health::Probe::Status::kGood:
            finish(ProbeResult::kGood, {});
            return;
        case health::Probe::Status::kBad:
            finish(ProbeResult::kBad, base::format("its answer is: {}", probe_.reason()));
            return;
    }
}

void ProbeConnection::on_eof() noexcept {
    on_end(health::kServerClosed);
}

void ProbeConnection::on_error(int error) noexcept {
    on_end(error);
}

void ProbeConnection::on_end(int error) {
    ask_in_binary_ = probe_.may_be_binary() && health::counts_as_failure(error);
    if (!ask_in_binary_) {
        fail(error);
    }
}

void ProbeConnection::on_connected(int error) noexcept {
    if (error == 0) {
        error = stream_.start_reading();
    }
    if (error != 0) {
        fail(error);
        return;
    }
    send();
}

}  // namespace ringmaster::master
