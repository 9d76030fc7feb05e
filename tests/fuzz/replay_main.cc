// SPDX-License-Identifier: Apache-2.0
// The main function of a fuzz target built without libFuzzer: replays every file of the folders
// given, then a few thousand mutations of them from a fixed seed.
//
//   TARGET [--trace] [--mutations=N] [--seed=N] FOLDER_OR_FILE...
//
// A crash repeats with the same arguments; --trace names each input before it is run.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace {

using Bytes = std::vector<uint8_t>;
using ringmaster::base::Rng;

constexpr uint32_t kDefaultMutations = 4000;
constexpr uint64_t kDefaultSeed = 1;
constexpr size_t kMaxInputBytes = 64 * 1024;

struct Input {
    std::string name;
    Bytes bytes;
};

struct Options {
    bool trace = false;
    uint32_t mutations = kDefaultMutations;
    uint64_t seed = kDefaultSeed;
    std::vector<std::filesystem::path> paths;
};

uint32_t index_below(Rng& rng, size_t bound) {
    return rng.below(static_cast<uint32_t>(bound));
}

// Bytes that mean something to one of the parsers are tried more often than chance would.
uint8_t likely_byte(Rng& rng) {
    constexpr char kBytes[] = "\r\n \0:*$+-_#,%~0123456789{}[]\"'|/\x7f\x80\xff";
    return static_cast<uint8_t>(kBytes[index_below(rng, sizeof(kBytes) - 1)]);
}

void splice(Rng& rng, const Bytes& other, Bytes& bytes) {
    if (other.empty()) {
        return;
    }
    const uint32_t from = index_below(rng, other.size());
    const uint32_t length = 1 + index_below(rng, other.size() - from);
    const auto at = bytes.begin() + index_below(rng, bytes.size() + 1);
    const auto first = other.begin() + from;
    bytes.insert(at, first, first + length);
}

void mutate_once(Rng& rng, const Bytes& other, Bytes& bytes) {
    if (bytes.empty()) {
        splice(rng, other, bytes);
        return;
    }
    const uint32_t at = index_below(rng, bytes.size());
    switch (rng.below(7)) {
        case 0:
            bytes[at] = static_cast<uint8_t>(rng.below(256));
            return;
        case 1:
            bytes[at] = likely_byte(rng);
            return;
        case 2:
            bytes[at] = static_cast<uint8_t>(bytes[at] ^ (1U << rng.below(8)));
            return;
        case 3:
            bytes.insert(bytes.begin() + at, likely_byte(rng));
            return;
        case 4: {
            const uint32_t length = 1 + index_below(rng, std::min<size_t>(bytes.size() - at, 8));
            bytes.erase(bytes.begin() + at, bytes.begin() + at + length);
            return;
        }
        case 5:
            bytes.resize(at);  // cut short
            return;
        default:
            splice(rng, other, bytes);
            return;
    }
}

Bytes mutate(Rng& rng, const std::vector<Input>& corpus) {
    Bytes bytes = corpus[index_below(rng, corpus.size())].bytes;
    const uint32_t rounds = 1 + rng.below(6);
    for (uint32_t i = 0; i < rounds; ++i) {
        mutate_once(rng, corpus[index_below(rng, corpus.size())].bytes, bytes);
    }
    bytes.resize(std::min(bytes.size(), kMaxInputBytes));
    return bytes;
}

// A copy of exactly the right size, so that a sanitizer sees a read past the end.
void run(const Bytes& bytes) {
    const Bytes exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::vector<Input> read_corpus(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::filesystem::path> files;
    for (const auto& path : paths) {
        if (!std::filesystem::is_directory(path)) {
            files.push_back(path);
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(path)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());  // the same order everywhere: mutations depend on it
    std::vector<Input> corpus;
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(stream)),
                               std::istreambuf_iterator<char>());
        corpus.push_back({file.string(), Bytes(text.begin(), text.end())});
    }
    return corpus;
}

Options parse_options(int argc, char** argv) {
    Options options;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    for (const std::string& argument : arguments) {
        if (argument == "--trace") {
            options.trace = true;
        } else if (argument.rfind("--mutations=", 0) == 0) {
            options.mutations = static_cast<uint32_t>(std::strtoul(&argument[12], nullptr, 10));
        } else if (argument.rfind("--seed=", 0) == 0) {
            options.seed = std::strtoull(&argument[7], nullptr, 10);
        } else {
            options.paths.emplace_back(argument);
        }
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse_options(argc, argv);
    const std::vector<Input> corpus = read_corpus(options.paths);
    if (corpus.empty()) {
        std::cerr << "no inputs found: give a folder or files\n";
        return 1;
    }
    run({});
    for (const Input& input : corpus) {
        if (options.trace) {
            std::cerr << input.name << std::endl;
        }
        run(input.bytes);
    }
    Rng rng(options.seed);
    for (uint32_t i = 0; i < options.mutations; ++i) {
        const Bytes bytes = mutate(rng, corpus);
        if (options.trace) {
            std::cerr << "mutation " << i << ", " << bytes.size() << " bytes" << std::endl;
        }
        run(bytes);
    }
    std::cout << corpus.size() << " files and " << options.mutations << " mutations replayed\n";
    return 0;
}
