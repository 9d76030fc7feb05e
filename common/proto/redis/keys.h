// SPDX-License-Identifier: Apache-2.0
// Which arguments of a request are keys, by the KeySpec of its command.
//
// Pure, allocates nothing. A request of one key is found by find_first_key() alone; the walk over
// all keys is for those few whose keys may be on several shards.
// Source: Redis 7's key specs and `COMMAND GETKEYS` (tests/golden/command_keys.txt).
#pragma once

#include <cstdint>
#include <string_view>

#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis {

// The key that decides where the request goes. False when there is none: `error` is then the rest
// of the error line, in the server's words, or empty when the command just has no key. Requires a
// known command.
bool find_first_key(const RequestView& request, std::string_view& key, std::string_view& error);

// All keys of a request in which find_first_key() has found one, in their order.
class KeyWalker {
  public:
    explicit KeyWalker(const RequestView& request) noexcept;
    bool next(std::string_view& key) noexcept;

  private:
    [[nodiscard]] bool is_key(std::string_view argument) noexcept;

    ArgumentCursor cursor_;
    int64_t index_ = -1;  // of the argument that was looked at last
    int64_t first_ = 0;
    int64_t last_ = -1;  // below first_: none
    int64_t step_ = 1;
    int64_t options_ = 0;
    int64_t skip_ = 0;  // arguments of an option that are no words
    bool destination_ = false;
    bool behind_store_ = false;
};

// How a request of a command with subcommands reads.
enum class Subcommand : uint8_t {
    kKnown,
    kHelp,     // goes to any server
    kUnknown,  // or about a whole server: not for a proxy
};
Subcommand classify_subcommand(const Command& command, std::string_view word) noexcept;

// ASCII, as all words of the protocol.
bool equal_ignoring_case(std::string_view a, std::string_view lower) noexcept;

}  // namespace ringmaster::proto::redis
