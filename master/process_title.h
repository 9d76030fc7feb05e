// SPDX-License-Identifier: Apache-2.0
// What `ps` shows for the master. (A worker's title is simply the argv it is executed with.)
#pragma once

#include <string>

namespace ringmaster::master {

// Remembers where argv and the environment lie, and moves the environment to the heap. Call once,
// first thing in main; argv must not be used afterwards. The environment's copy is never freed.
void init_process_title(int argument_count, char** arguments);

// Cut to the room that argv and the environment took.
void set_process_title(const std::string& title);

}  // namespace ringmaster::master
