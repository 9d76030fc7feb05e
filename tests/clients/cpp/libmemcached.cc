// SPDX-License-Identifier: Apache-2.0
// libmemcached with its defaults, the text protocol, or told to speak the binary one.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libmemcached/memcached.h>

#include "steps.h"

namespace {

using steps::quoted;
using steps::step;

constexpr time_t kFar = 2100000000;  // in 2036

struct FreeClient {
    void operator()(memcached_st* client) const { memcached_free(client); }
};
using Client = std::unique_ptr<memcached_st, FreeClient>;

Client connect(const char* host, int port, bool binary) {
    Client client(memcached_create(nullptr));
    memcached_behavior_set(client.get(), MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, binary ? 1 : 0);
    memcached_server_add(client.get(), host, static_cast<in_port_t>(port));
    return client;
}

std::string told(memcached_st* client, memcached_return_t code) {
    return memcached_strerror(client, code);
}

std::string get(memcached_st* client, std::string_view key) {
    size_t length = 0;
    uint32_t flags = 0;
    memcached_return_t code = MEMCACHED_SUCCESS;
    char* value = memcached_get(client, key.data(), key.size(), &length, &flags, &code);
    std::string text = told(client, code);
    if (code == MEMCACHED_SUCCESS) {
        text += " " + quoted({value, length}) + " flags " + std::to_string(flags);
    }
    std::free(value);
    return text;
}

using Storing = memcached_return_t (*)(memcached_st*, const char*, size_t, const char*, size_t,
                                       time_t, uint32_t);

std::string store(memcached_st* client, Storing storing, std::string_view key,
                  std::string_view value, time_t expires = 0, uint32_t flags = 0) {
    return told(client, storing(client, key.data(), key.size(), value.data(), value.size(), expires,
                                flags));
}

/// What a multi-key get brings, in the order of the keys: the servers' order is their own.
std::string get_many(memcached_st* client, const std::vector<std::string>& keys,
                     std::vector<uint64_t>* swaps = nullptr) {
    std::vector<const char*> texts;
    std::vector<size_t> lengths;
    for (const std::string& key : keys) {
        texts.push_back(key.data());
        lengths.push_back(key.size());
    }
    memcached_return_t code = memcached_mget(client, texts.data(), lengths.data(), lengths.size());
    std::vector<std::string> found;
    while (memcached_result_st* result = memcached_fetch_result(client, nullptr, &code)) {
        found.push_back(
            quoted({memcached_result_key_value(result), memcached_result_key_length(result)}) +
            ": " + quoted({memcached_result_value(result), memcached_result_length(result)}) +
            " flags " + std::to_string(memcached_result_flags(result)));
        if (swaps != nullptr) {
            swaps->push_back(memcached_result_cas(result));
        }
        memcached_result_free(result);
    }
    std::sort(found.begin(), found.end());
    std::string text = told(client, code);
    for (const std::string& one : found) {
        text += " " + one;
    }
    return text;
}

void values(memcached_st* c) {
    step("set", store(c, memcached_set, "s", "value"));
    step("get", get(c, "s"));
    step("get of nothing", get(c, "none"));
    step("set with flags", store(c, memcached_set, "flagged", "v", 0, 4000000000));
    step("get with flags", get(c, "flagged"));
    step("set with a time", store(c, memcached_set, "timed", "v", 1000));
    step("set to the year 2036", store(c, memcached_set, "far", "v", kFar));
    step("get of the far", get(c, "far"));
    step("add", store(c, memcached_add, "added", "1"));
    step("add again", store(c, memcached_add, "added", "2"));
    step("get of the added", get(c, "added"));
    step("replace", store(c, memcached_replace, "s", "third"));
    step("replace of nothing", store(c, memcached_replace, "none", "x"));
    step("append", store(c, memcached_append, "s", "!"));
    step("append to nothing", store(c, memcached_append, "none", "x"));
    step("prepend", store(c, memcached_prepend, "s", "<"));
    step("prepend to nothing", store(c, memcached_prepend, "none", "x"));
    step("get of the joined", get(c, "s"));
    step("touch", told(c, memcached_touch(c, "s", 1, 1000)));
    step("touch of nothing", told(c, memcached_touch(c, "none", 4, 1000)));
    step("exist", told(c, memcached_exist(c, "s", 1)));
    step("exist of nothing", told(c, memcached_exist(c, "none", 4)));
    step("set by key", told(c, memcached_set_by_key(c, "group", 5, "g1", 2, "v", 1, 0, 7)));
    step("get of it", get(c, "g1"));
    step("delete by key", told(c, memcached_delete_by_key(c, "group", 5, "g1", 2, 0)));
}

void swaps(memcached_st* c) {
    memcached_behavior_set(c, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
    std::vector<uint64_t> found;
    step("mget with cas", get_many(c, {"s"}, &found));
    const uint64_t unique = found.empty() ? 0 : found[0];
    step("cas", told(c, memcached_cas(c, "s", 1, "swapped", 7, 0, 0, unique)));
    step("cas that comes too late", told(c, memcached_cas(c, "s", 1, "late", 4, 0, 0, unique)));
    step("cas of nothing", told(c, memcached_cas(c, "none", 4, "x", 1, 0, 0, unique)));
    step("get of the swapped", get(c, "s"));
    memcached_behavior_set(c, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 0);
}

using Counting = memcached_return_t (*)(memcached_st*, const char*, size_t, uint32_t, uint64_t*);

std::string count(memcached_st* client, Counting counting, std::string_view key, uint32_t by) {
    uint64_t value = 0;
    const memcached_return_t code = counting(client, key.data(), key.size(), by, &value);
    std::string text = told(client, code);
    return code == MEMCACHED_SUCCESS ? text + " " + std::to_string(value) : text;
}

void numbers(memcached_st* c, bool binary) {
    step("set of a number", store(c, memcached_set, "n", "12"));
    step("increment", count(c, memcached_increment, "n", 5));
    step("increment by one", count(c, memcached_increment, "n", 1));
    step("decrement", count(c, memcached_decrement, "n", 7));
    step("decrement below zero", count(c, memcached_decrement, "n", 100));
    step("increment of nothing", count(c, memcached_increment, "none", 1));
    step("decrement of nothing", count(c, memcached_decrement, "none", 1));
    step("increment of text", count(c, memcached_increment, "s", 1));
    step("get of the number", get(c, "n"));
    uint64_t value = 0;
    const char* name = "increment with a first value";
    memcached_return_t code =
        memcached_increment_with_initial(c, "first", 5, 1, 50, binary ? 1000 : 0, &value);
    step(name, told(c, code));
    step("get of the first value", get(c, "first"));
}

void many(memcached_st* c) {
    std::vector<std::string> keys;
    std::string codes;
    for (int i = 0; i < 40; i++) {
        keys.push_back("m" + std::to_string(i));
        codes += store(c, memcached_set, keys.back(), keys.back()) + " ";
    }
    step("set of many", codes);
    keys.push_back("none");
    step("mget", get_many(c, keys));
    step("mget of nothing", get_many(c, {"none", "nothing"}));
    step("mget of one", get_many(c, {"m1"}));
    step("delete", told(c, memcached_delete(c, "m0", 2, 0)));
    step("delete of nothing", told(c, memcached_delete(c, "m0", 2, 0)));
    step("mget after deletes", get_many(c, {"m0", "m1", "m2"}));
}

void sizes_and_bytes(memcached_st* c) {
    std::string big;
    for (int i = 0; i < 65000; i++) {
        big += "0123456789abcdef";
    }
    std::string bytes;
    for (int i = 0; i < 256; i++) {
        bytes += static_cast<char>(i);
    }
    step("set of 1 MB", store(c, memcached_set, "big", big));
    step("get of 1 MB", get(c, "big"));
    step("mget of 1 MB", get_many(c, {"big", "m1"}));
    step("set of an empty value", store(c, memcached_set, "empty", ""));
    step("get of an empty value", get(c, "empty"));
    step("set of bytes", store(c, memcached_set, "bytes", bytes));
    step("get of bytes", get(c, "bytes"));
    const std::string longest(249, 'k');
    step("set of a long key", store(c, memcached_set, longest, "long"));
    step("get of a long key", get(c, longest));
    step("set of a key that is too long", store(c, memcached_set, std::string(300, 'k'), "long"));
    step("set of an empty key", store(c, memcached_set, "", "x"));
    step("get after bad keys", get(c, "m1"));
}

void behaviours(const char* host, int port, bool binary) {
    const std::pair<const char*, memcached_behavior_t> kinds[] = {
        {"no block", MEMCACHED_BEHAVIOR_NO_BLOCK},
        {"no delay", MEMCACHED_BEHAVIOR_TCP_NODELAY},
        {"no reply", MEMCACHED_BEHAVIOR_NOREPLY},
        {"buffered requests", MEMCACHED_BEHAVIOR_BUFFER_REQUESTS},
        {"consistent", MEMCACHED_BEHAVIOR_KETAMA},
        {"verified keys", MEMCACHED_BEHAVIOR_VERIFY_KEY},
    };
    for (const auto& [name, kind] : kinds) {
        Client other = connect(host, port, binary);
        memcached_behavior_set(other.get(), kind, 1);
        step(std::string("set with ") + name, store(other.get(), memcached_set, "b", name));
        step(std::string("get with ") + name, get(other.get(), "b"));
        step(std::string("delete with ") + name,
             told(other.get(), memcached_delete(other.get(), "b", 1, 0)));
        step(std::string("get of it with ") + name, get(other.get(), "b"));
    }
}

void ends(memcached_st* c) {
    memcached_quit(c);
    step("get after quit", get(c, "m1"));
    Client copy(memcached_clone(nullptr, c));
    step("get of a clone", get(copy.get(), "m1"));
    step("flush_buffers", told(c, memcached_flush_buffers(c)));
    step("verbosity", told(c, memcached_verbosity(c, 0)));
    step("version", told(c, memcached_version(c)));
    memcached_return_t code = MEMCACHED_SUCCESS;
    memcached_stat_st* stat = memcached_stat(c, nullptr, &code);
    step("stat: pid", stat != nullptr && stat->pid > 0 ? "yes" : told(c, code));
    memcached_stat_free(c, stat);
    step("flush", told(c, memcached_flush(c, 0)));
    step("mget of the flushed", get_many(c, {"m1", "m2", "m3", "m4", "m5"}));
    step("set after the flush", store(c, memcached_set, "s", "new"));
    step("get after the flush", get(c, "s"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        return 1;
    }
    const bool binary = std::string_view(argv[1]) == "binary";
    const char* host = argv[2];
    const int port = std::stoi(argv[3]);
    steps::begin(memcached_lib_version(), argv[1]);
    const Client client = connect(host, port, binary);
    values(client.get());
    swaps(client.get());
    numbers(client.get(), binary);
    many(client.get());
    sizes_and_bytes(client.get());
    behaviours(host, port, binary);
    ends(client.get());
    steps::end();
}
