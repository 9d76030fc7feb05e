// SPDX-License-Identifier: Apache-2.0
// ClientSession: CLIENT. What a client says of itself, and who else is there: the clients of its
// pool that this worker serves, as no worker knows the others'.
#include <algorithm>
#include <optional>

#include <sys/socket.h>

#include "common/base/format.h"
#include "common/proto/redis/client_line.h"
#include "common/proto/redis/error_texts.h"
#include "common/proto/redis/keys.h"
#include "worker/client_session.h"
#include "worker/limits.h"
#include "worker/pool.h"
#include "worker/redis_local.h"

namespace ringmaster::worker {

using proto::redis::ClientFacts;
using proto::redis::equal_ignoring_case;

namespace {

// What a client may have kept for it: names are for people and dashboards.
constexpr size_t kMaxTextBytes = 4096;

constexpr std::string_view kTooOften =
    "ERR all clients were just looked at; ask again when this reply has come";

// As a server's: it has to stand in a line of CLIENT LIST.
bool is_one_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

std::optional<bool> on_or_off(std::string_view word) {
    if (equal_ignoring_case(word, "on")) {
        return true;
    }
    if (equal_ignoring_case(word, "off")) {
        return false;
    }
    return std::nullopt;
}

enum class ClientType : uint8_t { kNormal, kOther, kUnknown };

ClientType client_type(std::string_view word) {
    if (equal_ignoring_case(word, "normal")) {
        return ClientType::kNormal;
    }
    for (const std::string_view other : {"master", "replica", "slave", "pubsub"}) {
        if (equal_ignoring_case(word, other)) {
            return ClientType::kOther;
        }
    }
    return ClientType::kUnknown;
}

// Which connections CLIENT KILL is about.
struct KillFilter {
    std::optional<uint64_t> id;
    std::optional<std::string_view> address;
    std::optional<std::string_view> local_address;
    bool any_type = true;  // not one that the proxy has no clients of
    bool skip_me = true;

    // The cheap part: to find out a client's addresses takes two system calls.
    [[nodiscard]] bool fits(uint64_t client) const { return any_type && (!id || *id == client); }
    [[nodiscard]] bool needs_addresses() const { return address || local_address; }
    [[nodiscard]] bool fits(const ClientFacts& client) const {
        return (!address || *address == client.address) &&
               (!local_address || *local_address == client.local_address);
    }
    // One option with its value; the error text, or empty.
    std::string add(std::string_view option, std::string_view value);
};

std::string KillFilter::add(std::string_view option, std::string_view value) {
    if (equal_ignoring_case(option, "id")) {
        int64_t number = 0;
        if (!read_integer(value, number) || number <= 0) {
            return "ERR client-id should be greater than 0";
        }
        id = static_cast<uint64_t>(number);
    } else if (equal_ignoring_case(option, "addr")) {
        address = value;
    } else if (equal_ignoring_case(option, "laddr")) {
        local_address = value;
    } else if (equal_ignoring_case(option, "type")) {
        const ClientType type = client_type(value);
        if (type == ClientType::kUnknown) {
            return proto::redis::unknown_client_type_text(value);
        }
        any_type = type == ClientType::kNormal;
    } else if (equal_ignoring_case(option, "user")) {
        if (value != "default") {
            return proto::redis::no_such_user_text(value);
        }
    } else if (equal_ignoring_case(option, "skipme")) {
        const bool yes = equal_ignoring_case(value, "yes");
        if (!yes && !equal_ignoring_case(value, "no")) {
            return std::string(kSyntaxError);
        }
        skip_me = yes;
    } else {
        return std::string(kSyntaxError);
    }
    return {};
}

}  // namespace

std::string client_name_problem(std::string_view name) {
    if (!is_one_word(name)) {
        return "ERR Client names cannot contain spaces, newlines or special characters.";
    }
    if (name.size() > kMaxTextBytes) {
        return base::format("ERR Client names have at most {} bytes in this proxy", kMaxTextBytes);
    }
    return {};
}

void ClientSession::write_client_getname(LocalCall& call) {
    if (redis_client_ == nullptr || redis_client_->name.empty()) {
        call.reply.null();
    } else {
        call.reply.bulk(redis_client_->name);
    }
}

void ClientSession::write_client_setname(LocalCall& call) {
    const std::string_view name = call.words[2];
    const std::string problem = client_name_problem(name);
    if (!problem.empty()) {
        call.reply.error(problem);
        return;
    }
    if (redis_client_ != nullptr || !name.empty()) {
        redis_client().name = name;
    }
    call.reply.simple("OK");
}

// NO-EVICT, NO-TOUCH.
void ClientSession::write_client_switch(LocalCall& call, bool RedisClient::*flag) {
    if (const std::optional<bool> on = on_or_off(call.words[2])) {
        redis_client().*flag = *on;
        call.reply.simple("OK");
    } else {
        call.reply.error(kSyntaxError);
    }
}

void ClientSession::write_client_setinfo(LocalCall& call) {
    const std::string_view option = call.words[2];
    const std::string_view value = call.words[3];
    const bool is_name = equal_ignoring_case(option, "lib-name");
    if (!is_name && !equal_ignoring_case(option, "lib-ver")) {
        call.reply.error(base::format("ERR Unrecognized option '{}'", option.substr(0, 128)));
    } else if (!is_one_word(value)) {
        call.reply.error(
            base::format("ERR {} cannot contain spaces, newlines or special characters.", option));
    } else if (value.size() > kMaxTextBytes) {
        call.reply.error(
            base::format("ERR {} has at most {} bytes in this proxy", option, kMaxTextBytes));
    } else {
        (is_name ? redis_client().lib_name : redis_client().lib_version) = value;
        call.reply.simple("OK");
    }
}

// Said before the change, so that ON is answered and OFF is not; SKIP never is.
void ClientSession::write_client_reply(LocalCall& call) {
    const std::string_view word = call.words[2];
    if (equal_ignoring_case(word, "skip")) {
        if (!redis_client().replies_off) {
            redis_client().skip_next = true;
        }
    } else if (const std::optional<bool> on = on_or_off(word)) {
        redis_client().replies_off = !*on;
        if (*on) {
            redis_client().skipping = false;  // ON behind SKIP is answered
            call.reply.simple("OK");
        }
    } else {
        call.reply.error(kSyntaxError);
    }
    judge_quick();
}

// All clients of a worker take milliseconds to look at, and a pipeline may ask for it hundreds of
// times: then everybody else waits. The first time in a turn is always allowed.
bool ClientSession::may_look_at_all() noexcept {
    if (path_.looked_turn != path_.turn) {
        path_.looked_turn = path_.turn;
        path_.looked_at = 0;
    }
    const auto count =
        static_cast<uint64_t>(pool_->stats().get(stats::PoolStat::kClientConnections));
    const bool may = path_.looked_at == 0 || path_.looked_at + count <= kLooksPerTurn;
    path_.looked_at += may ? count : 0;
    return may;
}

void ClientSession::write_client_list(LocalCall& call) {
    const auto& words = call.words;
    std::vector<uint64_t> ids;
    bool any = true;
    if (words.size() == 4 && equal_ignoring_case(words[2], "type")) {
        const ClientType type = client_type(words[3]);
        if (type == ClientType::kUnknown) {
            call.reply.error(proto::redis::unknown_client_type_text(words[3]));
            return;
        }
        any = type == ClientType::kNormal;
    } else if (words.size() > 3 && equal_ignoring_case(words[2], "id")) {
        for (size_t i = 3; i < words.size(); ++i) {
            int64_t id = 0;
            if (!read_integer(words[i], id)) {
                call.reply.error("ERR Invalid client ID");
                return;
            }
            ids.push_back(static_cast<uint64_t>(id));
        }
        std::sort(ids.begin(), ids.end());
    } else if (words.size() > 2) {
        call.reply.error(kSyntaxError);
        return;
    }
    if (any && ids.empty() && !may_look_at_all()) {
        call.reply.error(kTooOften);
        return;
    }
    std::string lines;
    auto& clients = pool_->clients();
    ClientSession* session = any ? clients.front_or_null() : nullptr;
    for (; session != nullptr; session = clients.next_or_null(*session)) {
        if (ids.empty() || std::binary_search(ids.begin(), ids.end(), session->id())) {
            lines += proto::redis::client_line(
                session->describe(session == this ? "client|list" : std::string_view()));
        }
    }
    call.reply.verbatim("txt", lines);
}

void ClientSession::write_client_kill(LocalCall& call) {
    const auto& words = call.words;
    const bool old_form = words.size() == 3;
    KillFilter filter;
    if (old_form) {
        filter.address = words[2];
        filter.skip_me = false;
    } else if (words.size() % 2 != 0) {
        call.reply.error(kSyntaxError);
        return;
    }
    for (size_t i = 2; !old_form && i < words.size(); i += 2) {
        const std::string problem = filter.add(words[i], words[i + 1]);
        if (!problem.empty()) {
            call.reply.error(problem);
            return;
        }
    }
    if (filter.id && ClientIds::slot_of(*filter.id).value_or(path_.slot) != path_.slot) {
        call.reply.error("ERR that client is served by another worker of the proxy, or by none");
        return;
    }
    if (filter.needs_addresses() && !filter.id && !may_look_at_all()) {
        call.reply.error(kTooOften);
        return;
    }
    int64_t killed = 0;
    auto& clients = pool_->clients();
    ClientSession* session = clients.front_or_null();
    while (session != nullptr) {
        ClientSession* next = clients.next_or_null(*session);
        if ((session != this || !filter.skip_me) && filter.fits(session->id()) &&
            (!filter.needs_addresses() || filter.fits(session->describe({})))) {
            ++killed;
            if (session == this) {
                end_in_order();  // answered first, as by a server
            } else {
                session->close(false);
            }
        }
        session = next;
    }
    if (!old_form) {
        call.reply.integer(killed);
    } else if (killed > 0) {
        call.reply.simple("OK");
    } else {
        call.reply.error("ERR No such client");
    }
}

ClientFacts ClientSession::describe(std::string_view command) const {
    const auto text_of = [this](const io::SocketAddress& address) {
        return address.is_unix() || address.empty() ? pool_->config().listen.path + ":0"
                                                    : address.text();
    };
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    auto* local_address = reinterpret_cast<sockaddr*>(&local);
    if (::getsockname(stream_.fd(), local_address, &size) != 0) {
        size = 0;
    }
    ClientFacts facts;
    facts.id = id_;
    facts.address = text_of(stream_.peer());
    facts.local_address = text_of(size > 0 ? io::SocketAddress::from_sockaddr(local_address, size)
                                           : io::SocketAddress());
    facts.is_unix = pool_->config().listen.is_unix;
    facts.fd = stream_.fd();
    facts.age_s = ClientIds::age_s(id_, DataPath::unix_us());
    const uint64_t now_ms = path_.loop.now_ms();
    const uint64_t read_ms = DataPath::turn_ms(read_turn_);
    facts.idle_s = read_turn_ == 0 ? facts.age_s : now_ms > read_ms ? (now_ms - read_ms) / 1000 : 0;
    facts.database = pool_->config().redis_db;
    facts.input_bytes = input_.size();
    facts.unsent_replies = request_count_;
    facts.unsent_bytes = unsent_bytes();
    facts.memory_bytes = sizeof *this + facts.input_bytes + facts.unsent_bytes;
    facts.command = command;
    facts.protocol = static_cast<uint8_t>(protocol());
    if (redis_client_ != nullptr) {
        facts.name = redis_client_->name;
        facts.lib_name = redis_client_->lib_name;
        facts.lib_version = redis_client_->lib_version;
        facts.no_evict = redis_client_->no_evict;
    }
    return facts;
}

}  // namespace ringmaster::worker
