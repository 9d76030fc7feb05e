// SPDX-License-Identifier: Apache-2.0
// What COMMAND tells of scripts, the connection and the server.
#include "common/proto/redis/command_facts.h"

namespace ringmaster::proto::redis {
namespace {

// clang-format off: one row a command
constexpr CommandFacts kRows[] = {
    {"memory", -2, "server", "4.0.0", "", "slow", "", "USAGE key [SAMPLES:count]",
     "How much memory a key takes"},
    {"object", -2, "generic", "2.2.3", "", "slow", "", "ENCODING|FREQ|IDLETIME|REFCOUNT key",
     "How a value is kept"},
    {"xgroup", -2, "stream", "5.0.0", "", "slow", "",
     "CREATE|CREATECONSUMER|DELCONSUMER|DESTROY|SETID key group [argument...]",
     "Makes and changes groups of consumers"},
    {"xinfo", -2, "stream", "5.0.0", "", "slow", "", "CONSUMERS|GROUPS|STREAM key [argument...]",
     "What is known of a stream"},
    {"eval", -3, "scripting", "2.6.0", "noscript stale skip_monitor no_mandatory_keys movablekeys",
     "slow scripting", "RW access update", "script numkeys [key...] [arg...]", "Runs a script"},
    {"eval_ro", -3, "scripting", "7.0.0",
     "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting",
     "RO access", "script numkeys [key...] [arg...]", "Runs a script that only reads"},
    {"evalsha", -3, "scripting", "2.6.0",
     "noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting",
     "RW access update", "sha1 numkeys [key...] [arg...]", "Runs a script that the server knows"},
    {"evalsha_ro", -3, "scripting", "7.0.0",
     "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting",
     "RO access", "sha1 numkeys [key...] [arg...]",
     "Runs a script that the server knows and that only reads"},
    {"fcall", -3, "scripting", "7.0.0", "noscript stale skip_monitor no_mandatory_keys movablekeys",
     "slow scripting", "RW access update", "function numkeys [key...] [arg...]", "Runs a function"},
    {"fcall_ro", -3, "scripting", "7.0.0",
     "readonly noscript stale skip_monitor no_mandatory_keys movablekeys", "slow scripting",
     "RO access", "function numkeys [key...] [arg...]", "Runs a function that only reads"},
    {"acl", -2, "server", "6.0.0", "", "slow", "", "WHOAMI|HELP", "The name of the user"},
    {"asking", 1, "cluster", "3.0.0", "fast", "fast connection", "", "",
     "Refused: the proxy is no part of a cluster"},
    {"auth", -2, "connection", "1.0.0", "noscript loading stale fast no_auth allow_busy",
     "fast connection", "", "[username] password", "Says who the client is"},
    {"client", -2, "connection", "2.4.0", "", "slow", "",
     "GETNAME|ID|INFO|KILL|LIST|NO-EVICT|NO-TOUCH|REPLY|SETINFO|SETNAME|HELP [argument...]",
     "The connections of clients"},
    {"cluster", -2, "cluster", "3.0.0", "", "slow", "", "subcommand",
     "Refused: the proxy is no part of a cluster"},
    {"command", -1, "server", "2.8.13", "loading stale", "slow connection", "",
     "[COUNT|DOCS|GETKEYS|GETKEYSANDFLAGS|HELP|INFO|LIST] [argument...]",
     "What commands the proxy allows", "nondeterministic_output_order"},
    {"config", -2, "server", "2.0.0", "", "slow", "", "GET|HELP [parameter...]",
     "Settings that clients look for"},
    {"echo", 2, "connection", "1.0.0", "loading stale fast", "fast connection", "", "message",
     "The same message"},
    {"info", -1, "server", "1.0.0", "loading stale", "slow dangerous", "", "[section...]",
     "What the proxy says of itself",
     "nondeterministic_output request_policy:all_shards response_policy:special"},
    {"lolwut", -1, "server", "5.0.0", "readonly fast", "read fast", "", "[VERSION:version]",
     "The version of the server"},
    {"module", -2, "server", "4.0.0", "", "slow", "", "LIST|HELP",
     "Modules of the proxy, of which there are none"},
    {"ping", -1, "connection", "1.0.0", "fast", "fast connection", "", "[message]",
     "Whether the proxy is there", "request_policy:all_shards response_policy:all_succeeded"},
    {"quit", -1, "connection", "1.0.0", "noscript loading stale fast no_auth allow_busy",
     "fast connection", "", "", "Ends the connection"},
    {"readonly", 1, "cluster", "3.0.0", "loading stale fast", "fast connection", "", "",
     "Accepted, and without effect"},
    {"readwrite", 1, "cluster", "3.0.0", "loading stale fast", "fast connection", "", "",
     "Accepted, and without effect"},
    {"role", 1, "server", "2.8.12", "noscript loading stale fast", "admin fast dangerous", "", "",
     "The role of the proxy, which is that of a master"},
    {"select", 2, "connection", "1.0.0", "loading stale fast", "fast connection", "", "index",
     "Whether the pool has this database"},
    {"time", 1, "server", "2.6.0", "loading stale fast", "fast", "", "", "The time of the proxy",
     "nondeterministic_output"},
    {"wait", 3, "generic", "3.0.0", "noscript", "slow connection", "", "numreplicas timeout",
     "How many replicas have acknowledged: none that the proxy knows",
     "request_policy:all_shards response_policy:agg_min"},
    {"hello", -1, "connection", "6.0.0", "noscript loading stale fast no_auth allow_busy",
     "fast connection", "", "[protover] [AUTH:username] [password] [SETNAME:clientname]",
     "Says which protocol the client speaks"},
    {"reset", 1, "connection", "6.2.0", "noscript loading stale fast no_auth allow_busy",
     "fast connection", "", "", "Puts the connection back to its beginning"},
};
// clang-format on

}  // namespace

std::span<const CommandFacts> facts_of_server() noexcept {
    return kRows;
}

}  // namespace ringmaster::proto::redis
