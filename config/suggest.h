// SPDX-License-Identifier: Apache-2.0
// "Did you mean ...?": the nearest of a few known words.
//
// Pure. Distance counts insertions, deletions, replacements and swaps of neighbours, and ignores
// ASCII case. Words over 64 bytes get no suggestion, so the cost is bounded.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ringmaster::config {

size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate, or empty when none is near: at most a third of the word's length away,
// at least 1, at most 3.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean 'X'?", or "LABEL: a, b, c" when nothing is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates,
                       std::string_view label);

}  // namespace ringmaster::config
