// SPDX-License-Identifier: Apache-2.0
// No input crashes or hangs the loader. The same seeds in every run, so a failure repeats.
#include <chrono>

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "config/yaml_tree.h"
#include "tests/unit/config/support.h"

using namespace ringmaster::config;
using ringmaster::base::Rng;

namespace {

constexpr uint64_t kSeed = 20240607;
constexpr std::string_view kPieces[] = {":",           ": ",
                                        "\n",          "\n  ",
                                        "- ",          "\"",
                                        "'",           "[",
                                        "]",           "{",
                                        "}",           "&a ",
                                        "*a",          "!t ",
                                        "|\n",         ">\n",
                                        "? ",          "%",
                                        "---",         "...",
                                        "#",           "\t",
                                        "\r\n",        std::string_view("\0", 1),
                                        "\xff",        "\xc3",
                                        "true",        "0",
                                        "9999999999",  "listen",
                                        "hash: ",      "redis",
                                        "- a:1:1\n",   "ringmaster:\n",
                                        "  servers:\n"};

std::string mutated(const std::string& original, Rng& rng) {
    std::string text = original;
    const uint32_t change_count = 1 + rng.below(4);
    for (uint32_t i = 0; i < change_count && !text.empty(); ++i) {
        const size_t at = rng.below(static_cast<uint32_t>(text.size()));
        switch (rng.below(4)) {
            case 0:
                text[at] = static_cast<char>(rng.below(256));
                break;
            case 1:
                text.erase(at, 1 + rng.below(12));
                break;
            case 2:
                text.insert(at, kPieces[rng.below(std::size(kPieces))]);
                break;
            default:
                text.insert(at, text.substr(rng.below(static_cast<uint32_t>(text.size())), 40));
                break;
        }
    }
    return text;
}

// True when the result keeps its promise.
bool is_consistent(const LoadResult& result) {
    return result.config.has_value() == (count_of(result, Severity::kError) == 0);
}

double seconds_to_load(const std::string& text) {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(is_consistent(load_text(text)));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string repeated(std::string_view piece, size_t count) {
    std::string out;
    out.reserve(piece.size() * count);
    for (size_t i = 0; i < count; ++i) {
        out += piece;
    }
    return out;
}

}  // namespace

TEST_CASE("config random input: random bytes are refused or accepted, never a crash") {
    Rng rng(kSeed);
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        const uint32_t length = rng.below(200);
        for (uint32_t j = 0; j < length; ++j) {
            text += static_cast<char>(rng.below(i % 2 == 0 ? 256 : 128));
        }
        INFO("input ", i, " of seed ", kSeed);
        REQUIRE(is_consistent(load_text(text)));
    }
}

TEST_CASE("config random input: pieces of YAML in any order never crash it") {
    Rng rng(kSeed + 1);
    for (int i = 0; i < 5000; ++i) {
        std::string text;
        const uint32_t piece_count = rng.below(40);
        for (uint32_t j = 0; j < piece_count; ++j) {
            text += kPieces[rng.below(std::size(kPieces))];
        }
        INFO("input ", i, " of seed ", kSeed + 1, ": ", text);
        REQUIRE(is_consistent(load_text(text)));
    }
}

TEST_CASE("config random input: a damaged good file never crashes it, and is not always refused") {
    const std::string good = "ringmaster:\n  workers: 2\n  max_memory: 1g\n" +
                             pool_with(
                                 "  hash: murmur\n  hash_tag: \"{}\"\n  redis: true\n"
                                 "  redis_auth: x\n  timeout: 400\n");
    REQUIRE(load_text(good).config);
    Rng rng(kSeed + 2);
    size_t accepted_count = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::string text = mutated(good, rng);
        const LoadResult result = load_text(text);
        INFO("input ", i, " of seed ", kSeed + 2, ": ", text);
        REQUIRE(is_consistent(result));
        accepted_count += result.config ? size_t{1} : size_t{0};
    }
    CHECK(accepted_count > 50);
    CHECK(accepted_count < 4000);
}

TEST_CASE("config random input: hostile shapes end quickly") {
    constexpr size_t kCount = 50'000;
    constexpr double kLimitSeconds = 20;  // far above what a sanitizer build needs
    CHECK(seconds_to_load(repeated("[", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("{a: ", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("- ", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("? ", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("a: x\n", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load("a:\n" + repeated("  b: x\n", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load("a:\n  servers:\n" + repeated("  - b:1:1\n", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("k", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load("a: \"" + repeated("\n", kCount)) < kLimitSeconds);
    CHECK(seconds_to_load(repeated("&a ", kCount)) < kLimitSeconds);
}

TEST_CASE("config random input: a view of nothing, without an address, is an empty file") {
    CHECK(contains(text_of(load_text(std::string_view())), "the file is empty"));
}

TEST_CASE("config random input: a file over the size bound is refused unread") {
    const LoadResult result = load_text(std::string(kMaxFileBytes + 1, ' '));
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(contains(text_of(result), "f: error: the file is larger than 16 MB"));
}
