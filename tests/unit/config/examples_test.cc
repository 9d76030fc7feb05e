// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("config examples: every file in config/examples loads without errors") {
    size_t file_count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(RM_EXAMPLES_DIR)) {
        if (entry.path().extension() != ".yml") {
            continue;
        }
        ++file_count;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)),
                                std::istreambuf_iterator<char>());
        const LoadResult result = load_text(bytes);
        INFO(entry.path().string(), "\n", text_of(result));
        CHECK(result.config.has_value());
        CHECK(count_of(result, Severity::kError) == 0);
    }
    CHECK(file_count >= 4);
}
