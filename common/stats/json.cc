// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "common/base/assert.h"
#include "common/stats/stats.h"

namespace ringmaster::stats {

namespace {

bool is_continuation(unsigned char byte) {
    return (byte & 0xc0) == 0x80;
}

// The length of the UTF-8 character `text` begins with, 0 when it begins with none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF). Requires: text is not empty.
size_t utf8_length(std::string_view text) {
    const auto at = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = at(0);
    size_t length = 0;
    unsigned char second_least = 0x80;
    unsigned char second_most = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
        second_least = first == 0xe0 ? 0xa0 : 0x80;
        second_most = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
        second_least = first == 0xf0 ? 0x90 : 0x80;
        second_most = first == 0xf4 ? 0x8f : 0xbf;
    }
    if (length == 0 || text.size() < length || at(1) < second_least || at(1) > second_most) {
        return 0;
    }
    for (size_t i = 2; i < length; ++i) {
        if (!is_continuation(at(i))) {
            return 0;
        }
    }
    return length;
}

void append_string(std::string_view text, std::string& out) {
    constexpr char kHex[] = "0123456789abcdef";
    out.push_back('"');
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const size_t length = utf8_length(text);
        if (byte == '"' || byte == '\\') {
            out.push_back('\\');
            out.push_back(text.front());
        } else if (byte < 0x20 || length == 0) {
            out.append("\\u00");
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 0xf]);
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out.push_back('"');
}

void append_number(int64_t value, std::string& out) {
    char digits[20];  // "-9223372036854775808"
    const auto result = std::to_chars(digits, digits + sizeof(digits), value);
    out.append(digits, result.ptr);
}

void append_field(std::string_view name, std::string_view text, std::string& out) {
    append_string(name, out);
    out.push_back(':');
    append_string(text, out);
}

void append_field(std::string_view name, int64_t value, std::string& out) {
    append_string(name, out);
    out.push_back(':');
    append_number(value, out);
}

void append_values(std::span<const StatInfo> infos, std::span<const int64_t> values,
                   std::string& out) {
    bool first = true;
    for (size_t i = 0; i < infos.size(); ++i) {
        if (!infos[i].in_document) {
            continue;
        }
        if (!first) {
            out.append(", ");
        }
        first = false;
        append_field(infos[i].name, values[i], out);
    }
}

// twemproxy: the first object behind plain fields is set off by ", ", the others by ",".
void append_object_start(size_t index, std::string_view name, std::string& out) {
    out.append(index == 0 ? ", " : ",");
    append_string(name, out);
    out.append(": {");
}

void append_pool(size_t index, const PoolNames& names, const PoolSnapshot& pool, std::string& out) {
    RM_ASSERT(names.servers.size() == pool.servers.size());
    append_object_start(index, names.pool, out);
    append_values(pool_stats(), pool.pool.values, out);
    for (size_t s = 0; s < pool.servers.size(); ++s) {
        append_object_start(s, names.servers[s], out);
        append_values(server_stats(), pool.servers[s].values, out);
        out.push_back('}');
    }
    out.push_back('}');
}

}  // namespace

std::string to_json(const Header& header, std::span<const PoolNames> names,
                    const Snapshot& snapshot) {
    RM_ASSERT(names.size() == snapshot.pools.size());
    std::string out = "{";
    append_field("service", header.service, out);
    out.append(", ");
    append_field("source", header.source, out);
    out.append(", ");
    append_field("version", header.version, out);
    out.append(", ");
    append_field("uptime", header.uptime_s, out);
    out.append(", ");
    append_field("timestamp", header.timestamp_s, out);
    out.append(", ");
    append_field("total_connections", snapshot.total_connections, out);
    out.append(", ");
    append_field("curr_connections", snapshot.curr_connections, out);
    for (size_t p = 0; p < names.size(); ++p) {
        append_pool(p, names[p], snapshot.pools[p], out);
    }
    out.append("}\n");
    return out;
}

}  // namespace ringmaster::stats
