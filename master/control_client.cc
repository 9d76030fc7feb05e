// SPDX-License-Identifier: Apache-2.0
#include "master/control_client.h"

#include <cerrno>
#include <cstdio>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/io/socket_address.h"
#include "config/suggest.h"
#include "master/config_file.h"
#include "master/control_commands.h"
#include "master/settings.h"

namespace ringmaster::master {

namespace {

using base::Error;
using base::format;

constexpr int kTimeoutS = 10;
// The proxy checks the file and every worker prepares.
constexpr int kReloadTimeoutS = 60;

void print(std::FILE* stream, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

int fail(const std::string& problem) {
    print(stderr, format("ringmaster: {}\n", problem));
    return 1;
}

// A descriptor that is closed at the end.
class Socket {
  public:
    Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }
    // For connecting and for every single read and write.
    void set_timeout(int seconds) const noexcept {
        const timeval limit{.tv_sec = seconds, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }

  private:
    int fd_;
};

// What connect(2) calls ECONNREFUSED.
const char* why_refused(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || S_ISSOCK(status.st_mode)) {
        return "nobody serves this socket any more";
    }
    return S_ISDIR(status.st_mode) ? "it is a folder, no socket" : "it is no socket";
}

Error cannot_reach(const std::string& path, std::string_view elsewhere, int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return {format("no proxy runs at {}: there is no such socket; {}", path, elsewhere)};
        case ECONNREFUSED:
            return {format("no proxy runs at {}: {}; {}", path, why_refused(path), elsewhere)};
        case EACCES:
        case EPERM:
            return {
                format("permission denied for {}: commands are for root and for the proxy's "
                       "own user",
                       path)};
        case EAGAIN:
            return {format("the proxy at {} does not take the command", path)};
        default:
            return {format("cannot connect to {}: {}", path, base::errno_text(error))};
    }
}

// A proxy that refuses answers before it has read everything: a failed write is not the end.
void write_all(int fd, const std::string& bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return;
        }
        done += static_cast<size_t>(count);
    }
}

base::Result<ControlAnswer> read_answer(int fd, const std::string& path, int timeout_s) {
    std::string bytes;
    ControlAnswer answer;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return Error{format("the proxy at {} does not answer (waited {} s)", path, timeout_s)};
        }
        if (count <= 0) {
            return Error{format("the proxy at {} closed the connection without an answer", path)};
        }
        bytes.append(buffer, static_cast<size_t>(count));
        switch (parse_answer(bytes, answer)) {
            case ControlParse::kDone:
                return answer;
            case ControlParse::kBad:
                return Error{format("what answers at {} is no ringmaster of this version", path)};
            case ControlParse::kNeedMore:
                break;
        }
    }
}

// What the command line says beside the command.
struct CommandLine {
    std::vector<std::string> words;  // for the proxy
    std::optional<std::string> control;
    std::optional<std::string> config_file;
    bool help = false;
};

// The value of an option that is `name VALUE` or `name=VALUE`; moves `at` to the last word used.
// Nothing when the word is another option.
std::optional<base::Result<std::string>> take_value(const std::vector<std::string>& arguments,
                                                    size_t& at, std::string_view name) {
    const std::string& word = arguments[at];
    if (word == name) {
        if (at + 1 == arguments.size() || arguments[at + 1].empty()) {
            return Error{format("option {} requires a path", name)};
        }
        return arguments[++at];
    }
    if (word.size() > name.size() + 1 && word.starts_with(name) && word[name.size()] == '=') {
        return word.substr(name.size() + 1);
    }
    return std::nullopt;
}

base::Result<CommandLine> read_command_line(const CommandRow& row,
                                            const std::vector<std::string>& arguments) {
    CommandLine line;
    line.words.emplace_back(row.name);
    bool flag = false;
    bool only_words = false;
    for (size_t i = 1; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (only_words || word.size() < 2 || word[0] != '-') {
            line.words.push_back(word);
        } else if (word == "--") {
            only_words = true;
        } else if (word == "-h" || word == "-?" || word == "--help") {
            line.help = true;
        } else if (word == row.flag) {
            flag = true;
        } else if (const auto control = take_value(arguments, i, "--control")) {
            if (!*control) {
                return control->error();
            }
            line.control = **control;
        } else {
            auto file = take_value(arguments, i, "-c");
            file = file ? file : take_value(arguments, i, "--conf-file");
            if (!file) {
                return Error{format("'{}' does not know option '{}'; see ringmaster {} --help{}",
                                    row.name, printable(word, 60), row.name,
                                    row.arguments.empty() ? ""
                                                          : ", and write -- before a word "
                                                            "that begins with '-'")};
            }
            if (!*file) {
                return file->error();
            }
            line.config_file = **file;
        }
    }
    if (flag) {
        line.words.emplace_back(row.flag);
    }
    return line;
}

base::Result<std::string> find_path(const CommandLine& line) {
    if (line.control) {
        return *line.control;
    }
    if (!line.config_file) {
        return std::string(kDefaultControlPath);
    }
    const ConfigFile file = load_config_file(*line.config_file);
    if (!file.config) {
        for (const std::string& error : file.errors) {
            print(stderr, error + "\n");
        }
        return Error{
            format("'{}' does not say where the proxy is; --control PATH does", *line.config_file)};
    }
    return file.config->process.control.value_or(kDefaultControlPath);
}

// The file may have been edited since the proxy read it.
std::string_view elsewhere_of(const CommandLine& line) {
    if (line.config_file && !line.control) {
        return "a changed 'control' takes effect with a restart only: --control PATH names the "
               "socket of the running proxy";
    }
    return kElsewhere;
}

std::string command_head(const CommandRow& row) {
    std::string head(row.name);
    for (const std::string_view part : {row.arguments, row.flag}) {
        if (!part.empty()) {
            head += ' ';
            head += part == row.flag ? format("[{}]", part) : std::string(part);
        }
    }
    return head;
}

std::string help_of(const CommandRow& row) {
    std::string text = format("Usage: ringmaster {} [--control PATH | -c FILE]\n\n  {}\n\n",
                              command_head(row), row.text);
    if (!row.flag.empty()) {
        text += format("  {:<16} {}\n", row.flag, row.flag_text);
    }
    text += format("  --control PATH   the control socket of the proxy (default: {})\n",
                   kDefaultControlPath);
    text += "  -c FILE          its configuration file: the key 'control' is looked up there\n";
    return text;
}

}  // namespace

bool is_command_line(const std::vector<std::string>& arguments) noexcept {
    return !arguments.empty() && !arguments[0].empty() && arguments[0][0] != '-';
}

int run_command_line(const std::vector<std::string>& arguments) {
    const CommandRow* row = find_command_or_null(arguments[0]);
    if (row == nullptr) {
        std::vector<std::string_view> names;
        for (const CommandRow& one : command_table()) {
            names.push_back(one.name);
        }
        const std::string_view near = config::nearest(arguments[0], names);
        return fail(format("unexpected word '{}'; {}", printable(arguments[0], 60),
                           near.empty() ? std::string("see ringmaster --help")
                                        : format("did you mean '{}'?", near)));
    }
    const auto line = read_command_line(*row, arguments);
    if (!line) {
        return fail(line.error().message);
    }
    if (line->help) {
        print(stdout, help_of(*row));
        return 0;
    }
    if (const auto command = parse_command(line->words); !command) {
        return fail(command.error().message);
    }
    const auto path = find_path(*line);
    if (!path) {
        return fail(path.error().message);
    }
    const bool is_reload = row->kind == CommandKind::kReload;
    const auto answer =
        ask_proxy(*path, line->words, is_reload ? kReloadTimeoutS : kTimeoutS, elsewhere_of(*line));
    if (!answer) {
        return fail(answer.error().message);
    }
    print(stdout, answer->out);
    print(stderr, answer->err);
    return answer->code;
}

base::Result<ControlAnswer> ask_proxy(const std::string& path,
                                      const std::vector<std::string>& words, int timeout_s,
                                      std::string_view elsewhere) {
    const std::string request = write_request(words);
    if (request.size() > kRequestBytesMax) {
        return Error{format("the command is too long: at most {} bytes", kRequestBytesMax)};
    }
    const auto address = io::SocketAddress::from_unix_path(path);
    if (!address) {
        return address.error();
    }
    const Socket socket;
    if (socket.fd() < 0) {
        return Error{format("cannot make a socket: {}", base::errno_text(errno))};
    }
    socket.set_timeout(timeout_s);
    if (::connect(socket.fd(), address->get(), address->size_bytes()) != 0) {
        return cannot_reach(path, elsewhere, errno);
    }
    write_all(socket.fd(), request);
    return read_answer(socket.fd(), path, timeout_s);
}

std::string commands_help() {
    std::string text =
        "\nCommands to the running proxy: ringmaster COMMAND [--control PATH | -c FILE]\n\n";
    for (const CommandRow& row : command_table()) {
        text += format("  {:<27} {}\n", command_head(row), row.text);
    }
    return text;
}

}  // namespace ringmaster::master
