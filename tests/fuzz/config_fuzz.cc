// SPDX-License-Identifier: Apache-2.0
// Any bytes as a configuration file: load() ends, and gives a config exactly when it found no
// error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    using namespace ringmaster;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size_bytes);
    config::LoadOptions options;
    options.resolve_listen = [](const std::string& host, const std::string&) -> std::string {
        return host.empty() || host[0] == 'x' ? "unknown" : "";
    };
    options.check_identity = [](const std::string& user, const std::string& group) {
        return config::IdentityProblem{group.size() > 3, user == "root" ? "unknown" : "", ""};
    };
    const config::LoadResult result = config::load(bytes, options);
    const bool has_errors = std::any_of(
        result.diagnostics.begin(), result.diagnostics.end(),
        [](const config::Diagnostic& found) { return found.severity == config::Severity::kError; });
    RM_ASSERT(result.config.has_value() != has_errors);
    for (const config::Diagnostic& diagnostic : result.diagnostics) {
        RM_ASSERT(!diagnostic.message.empty());
        RM_ASSERT(!config::format_diagnostic("f", diagnostic).empty());
    }
    if (result.config) {
        RM_ASSERT(!result.config->pools.empty());
        for (const config::PoolConfig& pool : result.config->pools) {
            RM_ASSERT(pool.hash != nullptr);
            RM_ASSERT(!pool.servers.empty());
        }
    }
    return 0;
}
