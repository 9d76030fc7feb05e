// SPDX-License-Identifier: Apache-2.0
// Every file nutcracker 0.5.0 was given, with its verdict under --test-conf. config_cases.jsonl was
// made by running it; the field `yaml` holds one code point per byte of the file.
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "config/load.h"

using namespace ringmaster;

namespace {

// The names that resolved where the cases were made; no name service is asked.
std::string fake_resolve(const std::string& host, const std::string&) {
    unsigned char address[16];
    const bool is_known = host == "localhost" || inet_pton(AF_INET, host.c_str(), address) == 1 ||
                          inet_pton(AF_INET6, host.c_str(), address) == 1;
    return is_known ? "" : "name or service not known";
}

std::string bytes_of(const std::string& text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            bytes += text[i];
            continue;
        }
        REQUIRE((lead == 0xc2 || lead == 0xc3));  // U+0080 to U+00FF
        const auto tail = static_cast<unsigned char>(text.at(++i));
        bytes += static_cast<char>((lead & 3) << 6 | (tail & 0x3f));
    }
    return bytes;
}

std::string all_diagnostics(const config::LoadResult& result) {
    std::string out;
    for (const config::Diagnostic& diagnostic : result.diagnostics) {
        out += config::format_diagnostic("FILE", diagnostic) + "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("config cases: every file is accepted or refused as nutcracker does") {
    std::ifstream file(RM_GOLDEN_DIR "/config_cases.jsonl");
    REQUIRE(file.is_open());
    config::LoadOptions options;
    options.resolve_listen = fake_resolve;
    size_t case_count = 0;
    for (std::string line; std::getline(file, line);) {
        const nlohmann::json row = nlohmann::json::parse(line);
        ++case_count;
        const std::string label = row.at("label");
        const std::string yaml = bytes_of(row.at("yaml"));
        const config::LoadResult result = config::load(yaml, options);
        // Changed on purpose: nutcracker 0.5.0 does not know this key, its later sources do.
        const int expected_exit = label == "reuseport" ? 0 : row.at("test_conf_exit").get<int>();
        INFO("case: ", label, "\n", yaml, "\n", all_diagnostics(result));
        CHECK((result.config ? 0 : 1) == expected_exit);
    }
    CHECK(case_count == 207);
}
