// SPDX-License-Identifier: Apache-2.0
#include "worker/error_lines.h"

#include <map>

#include "common/base/format.h"

namespace ringmaster::worker {

std::string_view server_error_line(bool redis, int error) {
    if (error == kNoMemoryForRequest) {
        return redis ? "-OOM no room for this request in the proxy's max_memory\r\n"
                     : "SERVER_ERROR out of memory storing object\r\n";
    }
    if (error == kNoMemoryForReply) {
        return redis ? "-OOM no room for this reply in the proxy's max_memory\r\n"
                     : "SERVER_ERROR out of memory preparing response\r\n";
    }
    // One entry per errno that has occurred: bounded by the number of errnos.
    static std::map<std::pair<bool, int>, std::string> lines;
    std::string& line = lines[{redis, error}];
    if (line.empty()) {
        // twemproxy: the text for an orderly end by the server is this word.
        const std::string text = error == kServerClosed ? "unknown" : base::errno_text(error);
        line = base::format("{} {}\r\n", redis ? "-ERR" : "SERVER_ERROR", text);
    }
    return line;
}

std::string printable(std::string_view text, size_t max_bytes) {
    std::string out(text.substr(0, max_bytes));
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = ' ';
        }
    }
    return out;
}

}  // namespace ringmaster::worker
