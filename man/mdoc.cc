// SPDX-License-Identifier: Apache-2.0
#include "man/mdoc.h"

#include <algorithm>

namespace ringmaster::man {

namespace {

constexpr size_t kMaxLineBytes = 78;

// A hyphen between letters is a hyphen; one at the start of a word is typed by the reader.
std::string escape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '-')) {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

bool ends_sentence(std::string_view word) {
    return word.ends_with('.') && word != "e.g.";
}

}  // namespace

std::string escape_argument(std::string_view text) {
    std::string out = "\"";
    for (const char c : escape(text)) {
        out += c == '"' ? std::string("\\(dq") : std::string(1, c);
    }
    return out + "\"";
}

std::string paragraph(std::string_view text) {
    std::string out;
    std::string line;
    const auto flush = [&out, &line] {
        if (!line.empty()) {
            // A line that begins like this would be a request.
            const bool is_request = line[0] == '.' || line[0] == '\'';
            out += (is_request ? "\\&" : "") + line + "\n";
            line.clear();
        }
    };
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const std::string escaped = escape(word);
        if (line.size() + 1 + escaped.size() > kMaxLineBytes) {
            flush();
        }
        line += (line.empty() ? "" : " ") + escaped;
        if (ends_sentence(word)) {
            flush();
        }
    }
    flush();
    return out;
}

}  // namespace ringmaster::man
