// SPDX-License-Identifier: Apache-2.0
#include "worker/raw_keys.h"

#include <doctest/doctest.h>

namespace ringmaster::worker {
namespace {

TEST_CASE("raw keys: what they take is memory in use, until they are removed") {
    Memory memory;
    RawKeys keys(memory);
    Request first;
    Request second;
    const size_t before = memory.bytes_in_use();
    keys.add(first, "a\nb");
    keys.add(second, std::string(250, '\n'));
    CHECK(bool{first.raw_key});
    CHECK(keys.of(first) == "a\nb");
    CHECK(memory.bytes_in_use() >= before + 253);
    keys.remove(first);
    CHECK(keys.of(second) == std::string(250, '\n'));
    keys.remove(second);
    CHECK(memory.bytes_in_use() == before);
}

}  // namespace
}  // namespace ringmaster::worker
