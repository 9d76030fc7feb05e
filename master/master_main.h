// SPDX-License-Identifier: Apache-2.0
// The master role's entry point, beside worker::worker_main().
#pragma once

#include <string>
#include <vector>

namespace ringmaster::master {

// `arguments` without the program's name. Returns the process's exit status.
int master_main(const std::vector<std::string>& arguments);

}  // namespace ringmaster::master
