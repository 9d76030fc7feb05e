// SPDX-License-Identifier: Apache-2.0
#include "master/listener_messages.h"

#include <algorithm>
#include <vector>

#include "common/control/messages.h"
#include "common/io/channel.h"

namespace ringmaster::master {

void send_listeners(WorkerLink& link, uint64_t generation,
                    std::span<const PoolListener> listeners) {
    while (!listeners.empty()) {
        const size_t count = std::min(io::kMaxDescriptorsPerSend, listeners.size());
        control::Listeners message{.generation = generation, .uses = {}};
        std::vector<int> descriptors;
        for (const PoolListener& listener : listeners.first(count)) {
            message.uses.push_back(
                {.listener = listener.id, .pool = static_cast<uint32_t>(listener.pool)});
            descriptors.push_back(listener.fd);
        }
        link.send(message, descriptors);
        listeners = listeners.subspan(count);
    }
}

}  // namespace ringmaster::master
