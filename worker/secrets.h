// SPDX-License-Identifier: Apache-2.0
// Compares what a client says is the password.
#pragma once

#include <cstddef>
#include <string_view>

namespace ringmaster::worker {

// Takes as long whatever the difference is.
inline bool equal_secrets(std::string_view given, std::string_view secret) noexcept {
    unsigned difference = given.size() == secret.size() ? 0U : 1U;
    for (size_t i = 0; i < given.size(); ++i) {
        const char other = secret.empty() ? '\0' : secret[i % secret.size()];
        difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ other));
    }
    return difference == 0;
}

}  // namespace ringmaster::worker
