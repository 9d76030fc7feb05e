// SPDX-License-Identifier: Apache-2.0
#include "master/options.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/base/format.h"
#include "master/command_line_tree.h"
#include "master/option_table.h"

namespace ringmaster::master {

namespace {

using base::Error;
using base::format;
using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

// Anything that is not printable would make the one line two, or hide it.
std::string shown(std::string_view text) {
    std::string safe(text.substr(0, 60));
    std::replace_if(
        safe.begin(), safe.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return safe;
}

// As the user said it: "-v" when there is a short name.
std::string flag_text(const OptionRow& row) {
    return row.short_name != '\0' ? format("-{}", row.short_name) : format("--{}", row.long_name);
}

Error needs_value(const OptionRow& row) {
    return Error{format("option {} requires {}", flag_text(row), row.value_kind)};
}

base::Result<const OptionRow*> find_long(std::string_view name) {
    const OptionRow* found = nullptr;
    size_t count = 0;
    for (const OptionRow& row : option_table()) {
        if (row.long_name == name) {
            return &row;
        }
        if (row.long_name.starts_with(name)) {
            found = &row;
            ++count;
        }
    }
    if (count == 1) {
        return found;
    }
    return Error{format("{} option '--{}'; see ringmaster --help",
                        count == 0 ? "unknown" : "ambiguous", shown(name))};
}

const OptionRow* find_short(char name) {
    for (const OptionRow& row : option_table()) {
        if (row.short_name == name) {
            return &row;
        }
    }
    return nullptr;
}

// Brings the words into the form CLI11 reads as getopt_long would: long names in full, a long
// name's value as a word of its own ("--output=" has an empty value, CLI11 would see none). A word
// that is a value is never looked at.
class Expander {
  public:
    explicit Expander(const std::vector<std::string>& words) : words_(words) {}

    base::Result<std::vector<std::string>> run() {
        while (next_ < words_.size()) {
            const std::string& word = words_[next_++];
            base::Status status;
            if (word == "--") {
                if (next_ < words_.size()) {
                    return unexpected(words_[next_]);
                }
            } else if (word.starts_with("--")) {
                status = expand_long(word);
            } else if (word.size() > 1 && word[0] == '-') {
                status = expand_short(word);
            } else {
                return unexpected(word);
            }
            if (!status) {
                return status.error();
            }
        }
        return std::move(out_);
    }

  private:
    static Error unexpected(const std::string& word) {
        return Error{format("unexpected word '{}'; see ringmaster --help", shown(word))};
    }

    base::Status take_value(const OptionRow& row) {
        if (next_ == words_.size()) {
            return needs_value(row);
        }
        out_.push_back(words_[next_++]);
        return {};
    }

    base::Status expand_long(const std::string& word) {
        const size_t equals = word.find('=');
        const auto row = find_long(std::string_view(word).substr(2, equals - 2));
        if (!row) {
            return row.error();
        }
        const OptionRow& option = **row;
        out_.push_back(format("--{}", option.long_name));
        const bool has_value = equals != std::string::npos;
        if (!option.takes_value()) {
            return has_value
                       ? base::Status(Error{format("option --{} takes no value", option.long_name)})
                       : base::Status();
        }
        if (has_value) {
            out_.push_back(word.substr(equals + 1));
            return {};
        }
        return take_value(option);
    }

    base::Status expand_short(const std::string& word) {
        for (size_t i = 1; i < word.size(); ++i) {
            const char name = word[i] == '?' ? 'h' : word[i];
            const OptionRow* row = find_short(name);
            if (row == nullptr) {
                return Error{format("unknown option '-{}'; see ringmaster --help",
                                    shown(word.substr(i, 1)))};
            }
            out_.push_back(format("-{}", name));
            if (row->takes_value()) {
                if (i + 1 < word.size()) {
                    out_.push_back(word.substr(i + 1));
                    return {};
                }
                return take_value(*row);
            }
        }
        return {};
    }

    const std::vector<std::string>& words_;
    size_t next_ = 0;
    std::vector<std::string> out_;
};

// CLI11 sorts the words into the table's options. Its exceptions end here.
base::Result<Values> sort_out(std::vector<std::string> words) {
    CLI::App app;
    add_options(app);
    try {
        std::reverse(words.begin(), words.end());  // CLI11 takes from the back
        app.parse(std::move(words));
    } catch (const CLI::Error& error) {
        return Error{shown(error.what())};
    }
    Values said;
    for (const OptionRow& row : option_table()) {
        const CLI::Option* option = app.get_option(format("--{}", row.long_name));
        if (option->count() > 0) {
            said[std::string(row.long_name)] = option->results();
        }
    }
    return said;
}

// Digits only, as nutcracker reads numbers; beyond `max` it is `max` + 1.
std::optional<uint64_t> parse_digits(std::string_view text, uint64_t max) {
    if (text.empty()) {
        return std::nullopt;
    }
    uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = std::min(value * 10 + static_cast<uint64_t>(c - '0'), max + 1);
    }
    return value;
}

// Walks the options that were said, keeping the first problem.
class Reader {
  public:
    explicit Reader(const Values& said) : said_(said) {}

    [[nodiscard]] bool flag(std::string_view name) const { return said_.find(name) != said_.end(); }

    [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
        const auto found = said_.find(name);
        // CLI11 says "{}" for an empty word.
        if (found == said_.end()) {
            return std::nullopt;
        }
        return found->second.empty() || found->second.back() == "{}" ? std::string()
                                                                     : found->second.back();
    }

    std::optional<uint64_t> number(std::string_view name, uint64_t min, uint64_t max) {
        const std::optional<std::string> value = text(name);
        if (!value) {
            return std::nullopt;
        }
        const OptionRow& row = **find_long(name);
        const std::optional<uint64_t> parsed = parse_digits(*value, max);
        if (!parsed) {
            fail(format("option {} requires {}, not '{}'", flag_text(row), row.value_kind,
                        shown(*value)));
        } else if (*parsed < min || *parsed > max) {
            fail(format("option {} must be between {} and {}, not '{}'", flag_text(row), min, max,
                        shown(*value)));
        } else {
            return parsed;
        }
        return std::nullopt;
    }

    void fail(std::string message) {
        if (problem_.empty()) {
            problem_ = std::move(message);
        }
    }
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    const Values& said_;
    std::string problem_;
};

void read_numbers(Reader& reader, Options& options) {
    constexpr uint64_t kAnyNumber = UINT32_MAX;
    if (const auto text = reader.text("verbose")) {
        // twemproxy: any number is taken and clamped.
        if (const auto level = parse_digits(*text, 11)) {
            options.log_level = static_cast<int>(std::min<uint64_t>(*level, 11));
        } else {
            reader.fail(format("option -v requires a number, not '{}'", shown(*text)));
        }
    }
    if (const auto port = reader.number("stats-port", 1, 65535)) {
        options.stats_port = static_cast<uint16_t>(*port);
    }
    // Checked and without effect: statistics are current at the moment of asking, and there are no
    // mbufs.
    reader.number("stats-interval", 0, kAnyNumber);
    reader.number("mbuf-size", 512, size_t{16} << 20);
    if (reader.text("workers") == "auto") {
        options.workers = 0;
    } else if (const auto workers = reader.number("workers", 1, kMaxWorkers)) {
        options.workers = static_cast<uint32_t>(*workers);
    }
}

}  // namespace

base::Result<Options> parse_options(const std::vector<std::string>& arguments) {
    auto words = Expander(arguments).run();
    if (!words) {
        return words.error();
    }
    const auto said = sort_out(std::move(*words));
    if (!said) {
        return said.error();
    }
    Reader reader(*said);
    Options options;
    options.help = reader.flag("help");
    options.version = reader.flag("version");
    options.describe_stats = reader.flag("describe-stats");
    options.test_config = reader.flag("test-conf");
    options.daemonize = reader.flag("daemonize");
    options.config_file = reader.text("conf-file").value_or(options.config_file);
    options.log_file = reader.text("output");
    options.pid_file = reader.text("pid-file");
    options.stats_address = reader.text("stats-addr");
    options.control = reader.text("control");
    read_numbers(reader, options);
    for (const char* name : {"conf-file", "pid-file", "stats-addr", "control"}) {
        if (reader.text(name) == "") {
            reader.fail(needs_value(**find_long(name)).message);
        }
    }
    if (!reader.problem().empty()) {
        return Error{reader.problem()};
    }
    return options;
}

}  // namespace ringmaster::master
