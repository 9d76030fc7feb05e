// SPDX-License-Identifier: Apache-2.0
// hiredis with its defaults: it sends what it is told to, and shows replies as they came.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include "steps.h"

namespace {

using steps::quoted;
using steps::step;
using Words = std::vector<std::string>;

struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string show(const redisReply& reply) {
    switch (reply.type) {
        case REDIS_REPLY_STRING:
            return quoted({reply.str, reply.len});
        case REDIS_REPLY_STATUS:
            return "status " + std::string(reply.str, reply.len);
        case REDIS_REPLY_ERROR:
            return "error " + std::string(reply.str, reply.len);
        case REDIS_REPLY_INTEGER:
            return "integer " + std::to_string(reply.integer);
        case REDIS_REPLY_NIL:
            return "nil";
        case REDIS_REPLY_ARRAY: {
            std::string text = "[";
            for (size_t i = 0; i < reply.elements; i++) {
                text += (i == 0 ? "" : ", ") + show(*reply.element[i]);
            }
            return text + "]";
        }
        default:
            return "type " + std::to_string(reply.type);
    }
}

class Client {
  public:
    Client(const char* host, int port) : context_(redisConnect(host, port)) {}
    ~Client() { redisFree(context_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] redisContext* context() const { return context_; }
    [[nodiscard]] std::string state() const {
        return context_->err == 0 ? "no error" : std::string("failed: ") + context_->errstr;
    }

    Reply ask(const Words& words) {
        append(words);
        return next();
    }

    void append(const Words& words) {
        std::vector<const char*> texts;
        std::vector<size_t> lengths;
        for (const std::string& word : words) {
            texts.push_back(word.data());
            lengths.push_back(word.size());
        }
        redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(),
                               lengths.data());
    }

    /// nullptr when the connection has failed: state() says why.
    Reply next() {
        void* reply = nullptr;
        redisGetReply(context_, &reply);
        return Reply(static_cast<redisReply*>(reply));
    }

    std::string told(const Words& words) {
        Reply reply = ask(words);
        return reply == nullptr ? state() : show(*reply);
    }

  private:
    redisContext* context_;
};

/// The words of a command, at its spaces.
Words split(std::string_view text) {
    Words words;
    while (!text.empty()) {
        const size_t end = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

/// Each is a call, named by itself. What has an order only by chance is not here.
constexpr const char* kCommands[] = {
    "PING",
    "PING hello",
    "ECHO hello",
    "CLIENT SETNAME tester",
    "CLIENT GETNAME",
    "SELECT 0",
    "SELECT x",
    "ROLE",
    "CONFIG GET appendonly",
    "CONFIG GET no-such-name",
    "COMMAND GETKEYS MSET a 1 b 2",
    "COMMAND INFO get no-such-name",
    "ACL WHOAMI",
    "WAIT 0 0",
    "CLUSTER INFO",
    "HELLO 1",
    "HELLO x",
    "AUTH secret",
    "AUTH default secret",
    "SET s value",
    "GET s",
    "GET none",
    "SET s other NX",
    "SET s second XX GET",
    "SET exact v PXAT 4102444800000",
    "PEXPIRETIME exact",
    "GETSET s third",
    "SETNX fresh 1",
    "GETDEL fresh",
    "APPEND s !",
    "STRLEN s",
    "GETRANGE s 1 3",
    "SUBSTR s 1 3",
    "SETRANGE s 2 XY",
    "INCR int",
    "INCRBY int 30",
    "DECRBY int 3",
    "INCRBYFLOAT int 0.25",
    "MSET m1 1 m2 2 m3 3 m4 4 m5 5",
    "MGET m1 none m2 m3 m4 m5",
    "MSETNX {nx}a 1 {nx}b 2",
    "SETBIT bits 7 1",
    "BITCOUNT bits",
    "BITFIELD bits GET u8 0",
    "EXISTS m1 m2 m2 none",
    "TOUCH m1 none",
    "TYPE s",
    "EXPIRE m1 1000",
    "PERSIST m1",
    "TTL m1",
    "TTL none",
    "RENAME {nx}a {nx}c",
    "OBJECT ENCODING m1",
    "UNLINK m1 m2 none",
    "DEL m3 m4 m5",
    "HSET h a 1 b two c 3.5",
    "HGET h b",
    "HGETALL h",
    "HGETALL none",
    "HMGET h a none",
    "HINCRBYFLOAT h c 0.5",
    "HSCAN h 0",
    "HRANDFIELD h 5 WITHVALUES",
    "RPUSH l a b c d",
    "LRANGE l 0 -1",
    "LPOP l",
    "LPOP l 2",
    "LPOP none",
    "LPOP none 2",
    "LPOS l d",
    "SADD {t}1 a",
    "SADD {t}2 a",
    "SINTER {t}1 {t}2",
    "SMISMEMBER {t}1 a x",
    "SPOP none",
    "ZADD z 1 a 2.5 b inf c",
    "ZSCORE z b",
    "ZSCORE z none",
    "ZRANGE z 0 -1 WITHSCORES",
    "ZRANK z none",
    "ZPOPMIN z",
    "ZADD z INCR 1 b",
    "ZADD z NX INCR 1 b",
    "GEOADD geo 13.361389 38.115556 Palermo",
    "GEOPOS geo Palermo none",
    "XADD x 1-1 a 1",
    "XRANGE x - +",
    "XREAD STREAMS x 0",
    "XREAD STREAMS x 1-1",
    "XGROUP CREATE x g 0",
    "XREADGROUP GROUP g me STREAMS x >",
    "XPENDING x g",
    "PFADD p a b",
    "PFCOUNT p",
    "LPUSH s x",
    "GET",
    "GET a b",
    "SET a b NOSUCH",
    "NOSUCH a b",
    "CLIENT NOSUCH",
    "OBJECT NOSUCH s",
    "INCR s",
};

void pipelines(Client& client) {
    std::string text;
    for (int i = 0; i < 50; i++) {
        client.append({"SET", "pipe" + std::to_string(i), std::to_string(i)});
        client.append({"GET", "pipe" + std::to_string(i)});
    }
    for (int i = 0; i < 100; i++) {
        Reply reply = client.next();
        text += reply == nullptr ? client.state() : show(*reply) + " ";
    }
    step("pipeline", text);
    text.clear();
    const Words mixed[] = {{"SET", "s", "1"}, {"LPUSH", "s", "1"}, {"NOSUCH"}, {"GET", "s"}};
    for (const Words& words : mixed) {
        client.append(words);
    }
    for (size_t i = 0; i < std::size(mixed); i++) {
        Reply reply = client.next();
        text += reply == nullptr ? client.state() : show(*reply) + " ";
    }
    step("pipeline with errors", text);
}

void sizes_and_bytes(Client& client) {
    std::string big;
    for (int i = 0; i < 65536; i++) {
        big += "0123456789abcdef";
    }
    std::string bytes;
    for (int i = 0; i < 256; i++) {
        bytes += static_cast<char>(i);
    }
    step("set of 1 MiB", client.told({"SET", "big", big}));
    step("get of 1 MiB", client.told({"GET", "big"}));
    step("set of an empty value", client.told({"SET", "empty", ""}));
    step("get of an empty value", client.told({"GET", "empty"}));
    step("set of a binary key", client.told({"SET", bytes, bytes}));
    step("get of a binary key", client.told({"GET", bytes}));
    step("set of an empty key", client.told({"SET", "", "nameless"}));
    step("get of an empty key", client.told({"GET", ""}));
    step("eval", client.told({"EVAL", "return {KEYS[1], ARGV[1], 3.7, false}", "1", "k", "v"}));
    step("an error of a script",
         client.told({"EVAL", "return redis.error_reply('MY own')", "1", "k"}));
    step("redisCommand with %b", [&client, &bytes] {
        Reply reply(static_cast<redisReply*>(
            redisCommand(client.context(), "GET %b", bytes.data(), bytes.size())));
        return reply == nullptr ? client.state() : show(*reply);
    }());
}

/// The server's close may come before the command or after it: as an end or as a reset.
std::string told_after_the_end(Client& client) {
    return client.ask({"GET", "s"}) == nullptr ? "failed" : "an answer";
}

/// The first reply to a kill of oneself is the number of those killed, then the end.
void ends(Client& client, const char* host) {
    step("quit", client.told({"QUIT"}));
    step("get after quit", told_after_the_end(client));
    step("redisReconnect", redisReconnect(client.context()) == REDIS_OK ? "ok" : client.state());
    step("get after that", client.told({"GET", "s"}));
    Reply id = client.ask({"CLIENT", "ID"});
    step("client id: type", id == nullptr ? client.state() : std::to_string(id->type));
    const std::string own = id == nullptr ? "0" : std::to_string(id->integer);
    step("client kill of itself", client.told({"CLIENT", "KILL", "ID", own, "SKIPME", "no"}));
    step("get after the kill", told_after_the_end(client));
    step("reconnect again", redisReconnect(client.context()) == REDIS_OK ? "ok" : client.state());
    step("its name is forgotten", client.told({"CLIENT", "GETNAME"}));
    client.append({"SET", "last", "1"});
    client.append({"QUIT"});
    step("set before quit", show(*client.next()));
    step("quit behind it", show(*client.next()));
    step("no server", Client(host, 1).state());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        return 1;
    }
    char version[32];
    std::snprintf(version, sizeof version, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    steps::begin(version, "RESP2");
    Client client(argv[1], std::stoi(argv[2]));
    step("connect", client.state());
    for (const char* command : kCommands) {
        step(command, client.told(split(command)));
    }
    step("get after errors", client.told({"GET", "s"}));
    pipelines(client);
    sizes_and_bytes(client);
    ends(client, argv[1]);
    steps::end();
}
