// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/command_facts.h"

#include <algorithm>
#include <vector>

namespace ringmaster::proto::redis {
namespace {

std::vector<const CommandFacts*> sorted_by_name() {
    std::vector<const CommandFacts*> sorted;
    for (const auto rows :
         {facts_of_strings(), facts_of_collections(), facts_of_sorted_sets(), facts_of_server()}) {
        for (const CommandFacts& row : rows) {
            sorted.push_back(&row);
        }
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const CommandFacts* a, const CommandFacts* b) { return a->name < b->name; });
    return sorted;
}

}  // namespace

const CommandFacts* command_facts_or_null(std::string_view name) {
    static const std::vector<const CommandFacts*> by_name = sorted_by_name();
    const auto found = std::lower_bound(
        by_name.begin(), by_name.end(), name,
        [](const CommandFacts* row, std::string_view word) { return row->name < word; });
    return found != by_name.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace ringmaster::proto::redis
