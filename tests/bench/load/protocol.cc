// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/protocol.h"

#include <charconv>

#include "tests/bench/load/memcached.h"
#include "tests/bench/load/redis.h"

namespace bench {

std::unique_ptr<Protocol> make_protocol(std::string_view name, const KeySpace& space,
                                        const KeyPicker& picker) {
    if (name == "redis") {
        return std::make_unique<Redis>(space, picker);
    }
    if (name == "memcached") {
        return std::make_unique<Memcached>(space, picker);
    }
    if (name == "meta") {
        return std::make_unique<Meta>(space, picker);
    }
    return nullptr;
}

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto done = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, done.ptr);
}

std::uint64_t leading_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace bench
