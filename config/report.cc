// SPDX-License-Identifier: Apache-2.0
#include "config/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/format.h"

namespace ringmaster::config {

namespace {

constexpr size_t kMaxShownBytes = 60;

bool is_continuation_byte(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// C0 controls, DEL, and the second byte of the C1 controls (U+0080 to U+009F are c2 80 to c2 9f).
bool is_control(std::string_view text, size_t index) noexcept {
    const auto byte = static_cast<unsigned char>(text[index]);
    if (byte < 0x20 || byte == 0x7f) {
        return true;
    }
    return byte >= 0x80 && byte < 0xa0 && index > 0 &&
           static_cast<unsigned char>(text[index - 1]) == 0xc2;
}

}  // namespace

void Report::add(Diagnostic&& diagnostic, size_t& count) {
    if (++count <= kMaxOfEach) {
        diagnostics_.push_back(std::move(diagnostic));
    }
}

void Report::error(Mark mark, std::string message, std::string hint) {
    add({Severity::kError, mark.line, mark.column, std::move(message), std::move(hint)},
        error_count_);
}

void Report::warning(Mark mark, std::string message, std::string hint) {
    add({Severity::kWarning, mark.line, mark.column, std::move(message), std::move(hint)},
        warning_count_);
}

std::vector<Diagnostic> Report::take() {
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                     [](const Diagnostic& a, const Diagnostic& b) {
                         return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                     });
    if (full()) {
        diagnostics_.push_back({Severity::kError, 0, 0, "too many errors, the rest is not shown",
                                "correct these first"});
    } else if (warning_count_ > kMaxOfEach) {
        diagnostics_.push_back(
            {Severity::kWarning, 0, 0, "too many warnings, the rest is not shown", {}});
    }
    error_count_ = 0;
    warning_count_ = 0;
    return std::exchange(diagnostics_, {});
}

std::string quoted(std::string_view text) {
    size_t shown_bytes = std::min(text.size(), kMaxShownBytes);
    while (shown_bytes > 0 && shown_bytes < text.size() &&
           is_continuation_byte(text[shown_bytes])) {
        --shown_bytes;
    }
    std::string out = "'";
    for (size_t i = 0; i < shown_bytes; ++i) {
        if (is_control(text, i)) {
            out += base::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
        } else {
            out += text[i];
        }
    }
    out += shown_bytes < text.size() ? "...'" : "'";
    return out;
}

std::string quoted_key(std::string_view text) {
    const auto is_key_byte = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    const auto* end = std::find_if_not(text.begin(), text.end(), is_key_byte);
    const auto length = static_cast<size_t>(end - text.begin());
    if (length == text.size()) {
        return quoted(text);
    }
    return quoted(std::string(text.substr(0, std::min(length, kMaxShownBytes - 3))) + "...");
}

std::string format_diagnostic(std::string_view file_name, const Diagnostic& diagnostic) {
    std::string out(file_name);
    if (diagnostic.line > 0) {
        out += base::format(":{}:{}", diagnostic.line, diagnostic.column);
    }
    out += diagnostic.severity == Severity::kError ? ": error: " : ": warning: ";
    out += diagnostic.message;
    if (!diagnostic.hint.empty()) {
        out += base::format(" ({})", diagnostic.hint);
    }
    return out;
}

}  // namespace ringmaster::config
