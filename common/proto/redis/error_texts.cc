// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/error_texts.h"

#include "common/base/format.h"

namespace ringmaster::proto::redis {
namespace {

constexpr size_t kQuotedBytes = 128;
// Where a server quotes all of it. Nobody reads as much, and it is held twice for a moment.
constexpr size_t kMostQuotedBytes = 16 << 10;

std::string_view quotable(std::string_view text, size_t most) {
    return text.substr(0, text.find('\0')).substr(0, most);
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

}  // namespace

std::string unknown_command_text(const RequestView& request) {
    ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    cursor.next(argument, raw);
    std::string text = base::format("ERR unknown command '{}', with args beginning with: ",
                                    quotable(argument, kQuotedBytes));
    // Quotes and spaces count, too.
    for (size_t quoted = 0; quoted < kQuotedBytes && cursor.next(argument, raw);) {
        const std::string_view some = quotable(argument, kQuotedBytes - quoted);
        text += base::format("'{}' ", some);
        quoted += some.size() + 3;
    }
    return text;
}

std::string unknown_subcommand_text(std::string_view command, std::string_view word) {
    return base::format("ERR unknown subcommand '{}'. Try {} HELP.", quotable(word, kQuotedBytes),
                        upper(command));
}

std::string hello_option_text(std::string_view option) {
    return base::format("ERR Syntax error in HELLO option '{}'",
                        quotable(option, kMostQuotedBytes));
}

std::string unknown_client_type_text(std::string_view type) {
    return base::format("ERR Unknown client type '{}'", quotable(type, kMostQuotedBytes));
}

std::string no_such_user_text(std::string_view user) {
    return base::format("ERR No such user '{}'", quotable(user, kMostQuotedBytes));
}

std::string wrong_arity_text(std::string_view command, std::string_view subcommand) {
    return subcommand.empty()
               ? base::format("ERR wrong number of arguments for '{}' command", command)
               : base::format("ERR wrong number of arguments for '{}|{}' command", command,
                              subcommand);
}

}  // namespace ringmaster::proto::redis
