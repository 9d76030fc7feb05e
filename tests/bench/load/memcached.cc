// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/memcached.h"

namespace bench {
namespace {

// Sums of these tell sets of keys apart.
std::uint64_t mark_of(Key key) {
    return Random(key).next();
}

}  // namespace

void Memcached::write(Request& request, std::string& out) const {
    if (request.is_set) {
        const std::string_view value = space_.value_line(request.key);
        out.append("set ").append(space_.name(request.key)).append(" 0 0 ");
        append_number(out, value.size() - 2);
        out.append("\r\n").append(value);
        return;
    }
    out += "get";
    if (request.width == 1) {
        out.append(" ").append(space_.name(request.key));
        request.unseen_sum = mark_of(request.key);
    }
    for (std::uint32_t index = 0; request.width > 1 && index < request.width; ++index) {
        const Key key = pick(request.keys);
        out.append(" ").append(space_.name(key));
        request.unseen_sum += mark_of(key);
    }
    out += "\r\n";
}

Step Memcached::read(Request& request, std::string_view line, std::string_view& body) const {
    if (request.is_set) {
        return line == "STORED" ? Step::kDone : Step::kWrong;
    }
    if (line == "END") {
        return request.seen == request.width && request.unseen_sum == 0 ? Step::kDone
                                                                        : Step::kWrong;
    }
    constexpr std::string_view kStart = "VALUE ";
    constexpr std::string_view kFlags = " 0 ";
    if (!line.starts_with(kStart)) {
        return Step::kWrong;
    }
    const std::string_view name = line.substr(kStart.size());
    const Key key = space_.find(name);
    if (key == space_.count()) {
        return Step::kWrong;
    }
    const std::string_view rest = name.substr(KeySpace::kNameSize);
    body = space_.value_line(key);
    if (!rest.starts_with(kFlags) ||
        leading_number(rest.substr(kFlags.size())) != body.size() - 2) {
        return Step::kWrong;
    }
    ++request.seen;
    request.unseen_sum -= mark_of(key);
    return Step::kBody;
}

void Meta::write(Request& request, std::string& out) const {
    if (request.is_set) {
        const std::string_view value = space_.value_line(request.key);
        out.append("ms ").append(space_.name(request.key)).append(" ");
        append_number(out, value.size() - 2);
        out.append("\r\n").append(value);
    } else {
        out.append("mg ").append(space_.name(request.key)).append(" v\r\n");
    }
}

Step Meta::read(Request& request, std::string_view line, std::string_view& body) const {
    if (request.is_set) {
        return line == "HD" ? Step::kDone : Step::kWrong;
    }
    constexpr std::string_view kStart = "VA ";
    body = space_.value_line(request.key);
    return line.starts_with(kStart) && leading_number(line.substr(kStart.size())) == body.size() - 2
               ? Step::kLastBody
               : Step::kWrong;
}

}  // namespace bench
