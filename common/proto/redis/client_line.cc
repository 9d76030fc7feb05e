// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/client_line.h"

#include "common/base/format.h"

namespace ringmaster::proto::redis {

std::string client_line(const ClientFacts& client) {
    std::string flags;
    flags += client.is_unix ? "U" : "";
    flags += client.no_evict ? "e" : "";
    flags = flags.empty() ? "N" : flags;
    return base::format(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 "
        "multi=-1 qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll={} omem={} "
        "tot-mem={} events=r cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={}\n",
        client.id, client.address, client.local_address, client.fd, client.name, client.age_s,
        client.idle_s, flags, client.database, client.input_bytes, client.unsent_replies,
        client.unsent_bytes, client.memory_bytes,
        client.command.empty() ? std::string_view("NULL") : client.command, client.protocol,
        client.lib_name, client.lib_version);
}

}  // namespace ringmaster::proto::redis
