// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/subcommands.h"

#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

using enum Sub;

constexpr SubcommandRow kAcl[] = {
    {"whoami", 2, kAclWhoami}, {"help", 2, kHelp},       {"cat", -2, kRefused},
    {"deluser", -3, kRefused}, {"dryrun", -4, kRefused}, {"genpass", -2, kRefused},
    {"getuser", 3, kRefused},  {"list", 2, kRefused},    {"load", 2, kRefused},
    {"log", -2, kRefused},     {"save", 2, kRefused},    {"setuser", -3, kRefused},
    {"users", 2, kRefused},
};

constexpr SubcommandRow kClient[] = {
    {"getname", 2, kClientGetname},
    {"help", 2, kHelp},
    {"id", 2, kClientId},
    {"info", 2, kClientInfo},
    {"kill", -3, kClientKill},
    {"list", -2, kClientList},
    {"no-evict", 3, kClientNoEvict},
    {"no-touch", 3, kClientNoTouch},
    {"reply", 3, kClientReply},
    {"setinfo", 4, kClientSetinfo},
    {"setname", 3, kClientSetname},
};

constexpr SubcommandRow kCluster[] = {
    {"addslots", -3, kClusterAny},
    {"addslotsrange", -4, kClusterAny},
    {"bumpepoch", 2, kClusterAny},
    {"count-failure-reports", 3, kClusterAny},
    {"countkeysinslot", 3, kClusterAny},
    {"delslots", -3, kClusterAny},
    {"delslotsrange", -4, kClusterAny},
    {"failover", -2, kClusterAny},
    {"flushslots", 2, kClusterAny},
    {"forget", 3, kClusterAny},
    {"getkeysinslot", 4, kClusterAny},
    {"help", 2, kClusterAny},
    {"info", 2, kClusterAny},
    {"keyslot", 3, kClusterAny},
    {"links", 2, kClusterAny},
    {"meet", -4, kClusterAny},
    {"myid", 2, kClusterAny},
    {"nodes", 2, kClusterAny},
    {"replicas", 3, kClusterAny},
    {"replicate", 3, kClusterAny},
    {"reset", -2, kClusterAny},
    {"saveconfig", 2, kClusterAny},
    {"set-config-epoch", 3, kClusterAny},
    {"setslot", -4, kClusterAny},
    {"shards", 2, kClusterAny},
    {"slaves", 3, kClusterAny},
    {"slots", 2, kClusterAny},
};

constexpr SubcommandRow kCommand[] = {
    {"count", 2, kCommandCount},
    {"docs", -2, kCommandDocs},
    {"getkeys", -4, kCommandGetkeys},
    {"getkeysandflags", -4, kCommandGetkeysandflags},
    {"help", 2, kHelp},
    {"info", -2, kCommandInfo},
    {"list", -2, kCommandList},
};

constexpr SubcommandRow kConfig[] = {
    {"get", -3, kConfigGet},    {"help", 2, kHelp},       {"set", -4, kRefused},
    {"resetstat", 2, kRefused}, {"rewrite", 2, kRefused},
};

constexpr SubcommandRow kModule[] = {
    {"list", 2, kModuleList}, {"help", 2, kHelp},      {"load", -3, kRefused},
    {"loadex", -3, kRefused}, {"unload", 3, kRefused},
};

constexpr std::string_view kLastHelp[2] = {"HELP", "    This text."};

constexpr std::string_view kAclHelp[] = {
    "ACL <subcommand>. Subcommands that the proxy answers are:",
    "WHOAMI",
    "    The name of the user of this connection.",
    kLastHelp[0],
    kLastHelp[1],
};

constexpr std::string_view kClientHelp[] = {
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands that the proxy answers are:",
    "GETNAME",
    "    The name of this connection.",
    "ID",
    "    The number of this connection, unique over all workers of the proxy.",
    "INFO",
    "    The line of this connection in LIST.",
    "KILL <ip:port>",
    "    Close the connection from <ip:port>, where this worker has it.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close connections of this pool and worker. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Those from this address.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Those to this address.",
    "    * ID <number>",
    "      The one with this number.",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Those of this type; all are normal here.",
    "    * USER <username>",
    "      Those of this user; all are of the user default.",
    "    * SKIPME (YES|NO)",
    "      Leave out this connection (default: yes).",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <number> [...]]",
    "    A line for each connection of this pool and worker.",
    "NO-EVICT (ON|OFF)",
    "    Accepted; the proxy evicts no connections.",
    "NO-TOUCH (ON|OFF)",
    "    Accepted; it does not reach the servers.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether requests of this connection are answered.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Say what library this connection is made by.",
    "SETNAME <name>",
    "    Give this connection a name.",
    kLastHelp[0],
    kLastHelp[1],
};

constexpr std::string_view kCommandHelp[] = {
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Details of all commands that the proxy allows.",
    "COUNT",
    "    How many these are.",
    "LIST [FILTERBY (MODULE <module>|ACLCAT <category>|PATTERN <pattern>)]",
    "    Their names.",
    "INFO [<command> ...]",
    "    Details of some of them.",
    "DOCS [<command> ...]",
    "    What they do.",
    "GETKEYS <full-command>",
    "    The keys of a request.",
    "GETKEYSANDFLAGS <full-command>",
    "    The keys of a request, and what it does with each.",
    kLastHelp[0],
    kLastHelp[1],
};

constexpr std::string_view kConfigHelp[] = {
    "CONFIG <subcommand>. Subcommands that the proxy answers are:",
    "GET <pattern> [<pattern> ...]",
    "    Names that fit a pattern, and their values: what clients look for, no more.",
    kLastHelp[0],
    kLastHelp[1],
};

constexpr std::string_view kModuleHelp[] = {
    "MODULE <subcommand>. Subcommands that the proxy answers are:",
    "LIST",
    "    Modules of the proxy: none.",
    kLastHelp[0],
    kLastHelp[1],
};

struct Container {
    LocalCommand command;
    std::span<const SubcommandRow> rows;
    std::span<const std::string_view> help;
};

constexpr Container kContainers[] = {
    {LocalCommand::kAcl, kAcl, kAclHelp},          {LocalCommand::kClient, kClient, kClientHelp},
    {LocalCommand::kCluster, kCluster, {}},        {LocalCommand::kCommand, kCommand, kCommandHelp},
    {LocalCommand::kConfig, kConfig, kConfigHelp}, {LocalCommand::kModule, kModule, kModuleHelp},
};

const Container* find_container_or_null(LocalCommand command) noexcept {
    for (const Container& container : kContainers) {
        if (container.command == command) {
            return &container;
        }
    }
    return nullptr;
}

}  // namespace

std::span<const SubcommandRow> subcommands_of(LocalCommand command) noexcept {
    const Container* found = find_container_or_null(command);
    return found != nullptr ? found->rows : std::span<const SubcommandRow>();
}

const SubcommandRow* find_subcommand_or_null(LocalCommand command, std::string_view word) noexcept {
    for (const SubcommandRow& row : subcommands_of(command)) {
        if (equal_ignoring_case(word, row.name)) {
            return &row;
        }
    }
    return nullptr;
}

std::span<const std::string_view> help_of(LocalCommand command) noexcept {
    const Container* found = find_container_or_null(command);
    return found != nullptr ? found->help : std::span<const std::string_view>();
}

}  // namespace ringmaster::proto::redis
