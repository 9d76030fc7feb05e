// SPDX-License-Identifier: Apache-2.0
// One probe of a server as bytes: what to send, and what its replies say. Pure; the caller owns the
// connection and the clock.
//
//   Redis      AUTH and SELECT as the pool has them, PING; then, where asked for and the database
//              is the right one, FLUSHDB
//   memcached  version; then, where asked for, flush_all. Or noop and flush in the binary protocol,
//              for servers that speak nothing else: those close when they get text, as that is
//              as long as a header of theirs
//
// Good: it answers and would serve a request. An error reply counts as good (a PING may be renamed
//       or forbidden) except those that say it would not serve: -LOADING, -MASTERDOWN, -BUSY,
//       -CLUSTERDOWN, -MISCONF, and -NOAUTH: such a server answers nothing but errors.
//       AUTH's reply is not judged (a server without a password refuses it and serves all the
//       same), except for -LOADING and its like.
//       A binary server is good that answers noop with any status but "authenticate yourself".
// Bad:  those; anything that is no such line; a line over kLineMax; more than was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringmaster::health {

struct ProbeSettings {
    bool redis = false;
    std::string auth;  // Redis; empty = none. Secret: never printed
    uint32_t db = 0;   // Redis; 0 = no SELECT
    bool flush = false;
    bool binary = false;  // memcached
};

class Probe {
  public:
    enum class Status : uint8_t {
        kNeedMore,  // read on
        kSend,      // send bytes_to_send(), then read on
        kGood,
        kBad,
    };
    static constexpr size_t kLineMax = 512;

    explicit Probe(ProbeSettings settings);

    // At first, and after each kSend. Valid until the next call of feed().
    [[nodiscard]] std::string_view bytes_to_send() const noexcept { return out_; }
    // Whether a server that has said nothing, and closes, may be one to ask in binary.
    [[nodiscard]] bool may_be_binary() const noexcept {
        return !settings_.redis && !settings_.binary && step_ == Step::kPing && line_.empty();
    }
    // To be called until kGood or kBad.
    Status feed(std::string_view bytes);
    // For the log, when bad: the line, without control bytes.
    [[nodiscard]] std::string_view reason() const noexcept { return line_; }

  private:
    enum class Step : uint8_t { kAuth, kSelect, kPing, kFlush, kDone };

    Status on_line();
    Status on_redis_line();
    Status on_memcached_line();
    Status feed_binary(std::string_view bytes);
    Status on_packet(uint16_t status);
    [[nodiscard]] Step first_step() const noexcept;
    [[nodiscard]] Step step_after(Step step) const noexcept;
    Status after_ping();

    ProbeSettings settings_;
    Step step_;
    bool selected_ = true;
    std::string out_;
    std::string line_;
};

}  // namespace ringmaster::health
