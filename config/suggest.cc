// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/format.h"

namespace ringmaster::config {

namespace {

constexpr size_t kMaxWordBytes = 64;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows of the usual table: two back is needed for a swap of neighbours.
    std::vector<size_t> before_previous(b.size() + 1);
    std::vector<size_t> previous(b.size() + 1);
    std::vector<size_t> current(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        previous[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1,
                                   previous[j - 1] + (same ? size_t{0} : size_t{1})});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                current[j] = std::min(current[j], before_previous[j - 2] + 1);
            }
        }
        std::swap(before_previous, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > kMaxWordBytes) {
        return {};
    }
    size_t best_distance = std::clamp<size_t>(word.size() / 3, 1, 3) + 1;
    std::string_view best;
    for (const std::string_view candidate : candidates) {
        const size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates,
                       std::string_view label) {
    const std::string_view near = nearest(word, candidates);
    if (!near.empty()) {
        return base::format("did you mean '{}'?", near);
    }
    std::string out(label);
    const char* separator = ": ";
    for (const std::string_view candidate : candidates) {
        out += separator;
        out += candidate;
        separator = ", ";
    }
    return out;
}

}  // namespace ringmaster::config
