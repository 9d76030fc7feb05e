// SPDX-License-Identifier: Apache-2.0
// Writes one document to standard output, at build time:
//
//   ringmaster_docs page TEMPLATE    the template with its @NAME@ lines and words filled in
//   ringmaster_docs bash|zsh|fish    the completion of that shell
//
// Exit code 1 and a line on standard error when a template asks for what there is not.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "man/completion_model.h"
#include "man/tables.h"
#include "master/command_line_tree.h"

namespace {

using namespace ringmaster;

int fail(const std::string& problem) {
    std::fprintf(stderr, "ringmaster_docs: %s\n", problem.c_str());
    return 1;
}

int print(const std::string& text) {
    const size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
    return written == text.size() && std::fflush(stdout) == 0 ? 0 : fail("cannot write");
}

// The length of NAME in "NAME@...", 0 when there is none: other uses of '@' stay.
size_t name_length(std::string_view text) {
    const size_t length = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return length != std::string_view::npos && text[length] == '@' ? length : 0;
}

int write_page(const std::string& path) {
    std::ifstream file(path);
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    if (source.empty()) {
        return fail(path + ": cannot be read");
    }
    std::string page;
    std::string_view rest = source;
    while (!rest.empty()) {
        const size_t at = rest.find('@');
        page += rest.substr(0, at);
        if (at == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(at + 1);
        const size_t length = name_length(rest);
        if (length == 0) {
            page += '@';
            continue;
        }
        const auto text = man::expand(rest.substr(0, length));
        if (!text) {
            return fail(path + ": there is no " + std::string(rest.substr(0, length)));
        }
        page += *text;
        rest.remove_prefix(length + 1);
        // A list ends its last line itself.
        if (text->ends_with('\n') && rest.starts_with('\n')) {
            rest.remove_prefix(1);
        }
    }
    return print(page);
}

}  // namespace

int main(int argument_count, char** arguments) {
    const std::string_view what = argument_count > 1 ? arguments[1] : "";
    if (what == "page" && argument_count == 3) {
        return write_page(arguments[2]);
    }
    if (argument_count == 2 && (what == "bash" || what == "zsh" || what == "fish")) {
        const man::Model model = man::completion_model(*master::command_line_tree());
        return print(what == "bash"  ? man::bash_completion(model)
                     : what == "zsh" ? man::zsh_completion(model)
                                     : man::fish_completion(model));
    }
    return fail("page TEMPLATE, bash, zsh or fish");
}
