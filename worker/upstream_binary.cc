// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: replies of memcached's binary protocol, and what of them a client gets.
#include <cerrno>

#include "common/base/assert.h"
#include "common/proto/memcached/binary_commands.h"
#include "worker/request.h"
#include "worker/server.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

// Looks at the head's reply once its header has come, whole or not; more than once does no harm.
// False: it is not the reply to that request.
bool UpstreamConnection::take_binary_reply(const Window& window, const char* data, size_t size) {
    if (size < proto::memcached::kBinaryHeaderBytes) {
        return true;
    }
    Request& request = *head_->request;
    const proto::memcached::BinaryHeader header = proto::memcached::read_binary_header(data);
    const proto::memcached::BinaryCommand* command =
        proto::memcached::find_binary_command_or_null(request.opcode);
    RM_ASSERT(command != nullptr);
    const bool is_its_own = header.opcode == command->loud || header.opcode == request.opcode;
    if (!is_its_own || header.opaque != request.opaque) {
        return false;
    }
    const bool is_wanted = request.client != nullptr && !head_->expired;
    if (!is_wanted || request.split != nullptr ||
        command->silence == proto::memcached::BinarySilence::kNone) {
        return true;
    }
    if (proto::memcached::is_suppressed(command->silence, header.status)) {
        request.silent = true;
    } else {
        const size_t opcode_at =
            static_cast<size_t>(data - window.begin) + proto::memcached::kBinaryOpcodeAt;
        window.begin[opcode_at] = static_cast<char>(request.opcode);
    }
    return true;
}

// A server that speaks text only answers with a line. It is well for all others: no word against
// it, else one client could have it ejected.
void UpstreamConnection::fail_without_binary() {
    server_->note_failure("does not speak memcached's binary protocol", EPROTONOSUPPORT);
    end(EPROTONOSUPPORT);
}

}  // namespace ringmaster::worker
