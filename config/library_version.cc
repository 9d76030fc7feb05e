// SPDX-License-Identifier: Apache-2.0
#include "config/library_version.h"

#include <yaml.h>

namespace ringmaster::config {

const char* libyaml_version() noexcept {
    return yaml_get_version_string();
}

}  // namespace ringmaster::config
