// SPDX-License-Identifier: Apache-2.0
// What a shell may offer after `ringmaster`, read off CLI11's tree; and the scripts for each shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace ringmaster::man {

// What a value is completed with.
struct Value {
    bool files = false;
    std::vector<std::string> words;
    std::string name;  // for a message, "LEVEL"
};

struct Flag {
    std::vector<std::string> names;  // "-c", "--conf-file"
    std::string text;
    bool takes_value = false;
    Value value;
};

struct Word {
    std::string name;  // "POOL"
    Value value;
};

struct Command {
    std::string name;  // empty for what stands before any command
    std::string text;
    std::vector<Flag> flags;
    std::vector<Word> words;
};

struct Model {
    Command top;
    std::vector<Command> commands;
};

Model completion_model(const CLI::App& tree);

// `text` as one word of any of the three shells.
std::string quote(std::string_view text);
std::string joined(const std::vector<std::string>& words, std::string_view between);
// The first line or two say where a script comes from.
std::string origin();

std::string bash_completion(const Model& model);
std::string zsh_completion(const Model& model);
std::string fish_completion(const Model& model);

}  // namespace ringmaster::man
