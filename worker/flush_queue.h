// SPDX-License-Identifier: Apache-2.0
// Connections with new output. Nothing is written where it is produced: once per turn of the loop,
// just before it blocks, everything leaves, upstreams first, one writev a connection.
#pragma once

#include "common/base/intrusive_list.h"
#include "common/io/stream.h"
#include "worker/memory.h"
#include "worker/out_queue.h"

namespace ringmaster::worker {

class ClientSession;
class UpstreamConnection;

struct FlushTag {};
using FlushLink = base::ListLink<FlushTag>;

enum class FlushResult { kAllOut, kBlocked, kFailed };

struct Flushed {
    FlushResult result = FlushResult::kAllOut;
    int error = 0;  // kFailed: the errno
};

// Writes what the kernel takes; the rest is handed to the stream, which reports when it is out.
Flushed flush(Memory& memory, io::Stream& stream, OutQueue& out);

class FlushQueue {
  public:
    template <class Connection>
    void mark(Connection& connection) noexcept {
        if (!static_cast<FlushLink&>(connection).linked()) {
            add(connection);
        }
    }
    void flush_all();

  private:
    void add(UpstreamConnection& connection) noexcept;
    void add(ClientSession& session) noexcept;

    base::IntrusiveList<UpstreamConnection, FlushTag> upstreams_;
    base::IntrusiveList<ClientSession, FlushTag> clients_;
};

}  // namespace ringmaster::worker
