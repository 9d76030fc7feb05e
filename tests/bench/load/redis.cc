// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/redis.h"

namespace bench {

void Redis::write_bulk(std::string_view bytes, std::string& out) const {
    out += '$';
    append_number(out, bytes.size());
    out.append("\r\n").append(bytes).append("\r\n");
}

void Redis::write(Request& request, std::string& out) const {
    if (request.is_set) {
        out += "*3\r\n$3\r\nSET\r\n";
        write_bulk(space_.name(request.key), out);
        write_bulk(space_.value(request.key), out);
    } else if (request.width == 1) {
        out += "*2\r\n$3\r\nGET\r\n";
        write_bulk(space_.name(request.key), out);
    } else {
        out += '*';
        append_number(out, request.width + 1);
        out += "\r\n$4\r\nMGET\r\n";
        Random keys = request.keys;
        for (std::uint32_t index = 0; index < request.width; ++index) {
            write_bulk(space_.name(pick(keys)), out);
        }
    }
}

Step Redis::read(Request& request, std::string_view line, std::string_view& body) const {
    if (request.is_set) {
        return line == "+OK" ? Step::kDone : Step::kWrong;
    }
    if (request.width > 1 && request.seen == 0) {
        request.seen = 1;  // the array's head counts as one
        return line.starts_with('*') && leading_number(line.substr(1)) == request.width
                   ? Step::kLine
                   : Step::kWrong;
    }
    body = space_.value_line(request.width == 1 ? request.key : pick(request.keys));
    if (!line.starts_with('$') || leading_number(line.substr(1)) != body.size() - 2 ||
        line.size() < 2 || line[1] == '-') {
        return Step::kWrong;
    }
    return request.width == 1 || ++request.seen == request.width + 1 ? Step::kLastBody
                                                                     : Step::kBody;
}

}  // namespace bench
