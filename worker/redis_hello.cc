// SPDX-License-Identifier: Apache-2.0
// ClientSession: HELLO and RESET, which change by which connections later requests go. Both come
// here only when all earlier requests are answered (client_waits.cc).
// Source: the answers and their order of redis-server 7.0.15, compared by the system tests.
#include <string>

#include "common/proto/redis/error_texts.h"
#include "common/proto/redis/reply_writer.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"
#include "worker/redis_local.h"

namespace ringmaster::worker {

using proto::redis::ArgumentCursor;
using proto::redis::ReplyWriter;
using proto::redis::RequestView;

namespace {

bool is_word(std::string_view text, std::string_view upper) noexcept {
    const auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; };
    return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), same);
}

}  // namespace

// Each takes effect as it is read, also when a later one is refused. False: one was, and that has
// been answered.
bool ClientSession::take_hello_options(ArgumentCursor& cursor, uint32_t left) {
    const auto refuse = [this](std::string_view text) {
        std::string line;
        ReplyWriter(protocol(), line).error(text);
        answer(line, true);
        return false;
    };
    std::string_view option;
    std::string_view value;
    std::string_view password;
    std::string_view raw;
    while (left > 0 && cursor.next(option, raw)) {
        --left;
        if (is_word(option, "AUTH") && left >= 2) {
            cursor.next(value, raw);
            cursor.next(password, raw);
            left -= 2;
            if (!is_right_password(value, password)) {
                answer(kWrongPassword, true);
                return false;
            }
            set_authenticated(true);
            gave_password_ = !pool_->config().redis_auth.empty();
        } else if (is_word(option, "SETNAME") && left >= 1) {
            cursor.next(value, raw);
            --left;
            const std::string problem = client_name_problem(value);
            if (!problem.empty()) {
                return refuse(problem);
            }
            if (redis_client_ != nullptr || !value.empty()) {
                redis_client().name = value;
            }
        } else {
            return refuse(proto::redis::hello_option_text(option));
        }
    }
    return true;
}

void ClientSession::redis_hello(const RequestView& request) {
    int64_t wanted = 0;  // 0: as it is
    ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    cursor.next(argument, raw);
    uint32_t left = request.argument_count - 1;
    if (left > 0) {
        cursor.next(argument, raw);
        --left;
        if (!read_integer(argument, wanted)) {
            answer("-ERR Protocol version is not an integer or out of range\r\n", true);
            return;
        }
        if (wanted < 2 || wanted > 3 || (wanted == 3 && pool_->refuses_resp3())) {
            answer("-NOPROTO unsupported protocol version\r\n", true);
            return;
        }
    }
    if (!take_hello_options(cursor, left)) {
        return;
    }
    if (!authenticated_) {
        answer(
            "-NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time\r\n",
            true);
        return;
    }
    if (wanted == 3 && wait_for_pool()) {
        return;
    }
    if (wanted == 3 && pool_->refuses_resp3()) {
        answer("-NOPROTO unsupported protocol version\r\n", true);
        return;
    }
    if (wanted > 0) {
        dialect_ = wanted == 3 ? Dialect::kResp3 : Dialect::kPlain;
    }
    answer_hello();
}

void ClientSession::answer_hello() {
    std::string reply;
    ReplyWriter writer(protocol(), reply);
    writer.map(7);
    writer.bulk("server");
    writer.bulk("redis");
    writer.bulk("version");
    writer.bulk(kRedisVersion);
    writer.bulk("proto");
    writer.integer(static_cast<int64_t>(protocol()));
    writer.bulk("id");
    writer.integer(static_cast<int64_t>(id_));
    writer.bulk("mode");
    writer.bulk("standalone");
    writer.bulk("role");
    writer.bulk("master");
    writer.bulk("modules");
    writer.array(0);
    answer(reply, false);
}

void ClientSession::redis_reset() {
    dialect_ = Dialect::kPlain;
    gave_password_ = false;
    if (redis_client_ != nullptr) {
        RedisClient& client = *redis_client_;
        client.name.clear();
        client.replies_off = false;
        client.skip_next = false;  // but a RESET that is itself skipped stays so, as in a server
    }
    set_authenticated(pool_->config().redis_auth.empty());
    answer("+RESET\r\n", false);
}

}  // namespace ringmaster::worker
