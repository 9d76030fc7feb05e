// SPDX-License-Identifier: Apache-2.0
// Where the loader's stages put what they find wrong, so that one run reports everything.
//
// Bounded: of errors and of warnings, those beyond kMaxOfEach are dropped and a last line says so;
// has_errors() stays right. Stages with much to say stop when full(), which counts errors only: an
// accepted file is always read to its end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace ringmaster::config {

// A place in the file, counting from 1; line 0 is "the file as a whole".
struct Mark {
    size_t line = 0;
    size_t column = 0;
};

class Report {
  public:
    static constexpr size_t kMaxOfEach = 100;

    void error(Mark mark, std::string message, std::string hint = {});
    void warning(Mark mark, std::string message, std::string hint = {});

    [[nodiscard]] bool has_errors() const noexcept { return error_count_ > 0; }
    [[nodiscard]] bool full() const noexcept { return error_count_ >= kMaxOfEach; }

    // In the order of the file. Leaves the report empty.
    [[nodiscard]] std::vector<Diagnostic> take();

  private:
    void add(Diagnostic&& diagnostic, size_t& count);

    std::vector<Diagnostic> diagnostics_;
    size_t error_count_ = 0;  // including those dropped
    size_t warning_count_ = 0;
};

// `text` in single quotes, fit for a terminal: control characters as \xNN, cut after 60 bytes.
std::string quoted(std::string_view text);

// The same for a key nobody knows: cut at the first byte no key contains, because what follows may
// be a password whose separator is misspelt (redis_auth=...).
std::string quoted_key(std::string_view text);

}  // namespace ringmaster::config
