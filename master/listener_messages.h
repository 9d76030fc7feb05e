// SPDX-License-Identifier: Apache-2.0
// Listening sockets on their way to a worker.
#pragma once

#include <cstdint>
#include <span>

#include "master/listener_set.h"
#include "master/worker_link.h"

namespace ringmaster::master {

// As many control::Listeners as it takes: a message carries io::kMaxDescriptorsPerSend descriptors.
void send_listeners(WorkerLink& link, uint64_t generation, std::span<const PoolListener> listeners);

}  // namespace ringmaster::master
