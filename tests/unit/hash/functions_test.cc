// SPDX-License-Identifier: Apache-2.0
// The quirks that a rewrite would lose first. All values: tests/golden/hash.tsv.
#include "common/hash/functions.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "common/hash/fnv.h"
#include "common/hash/registry.h"

namespace ringmaster::hash {
namespace {

uint32_t apply(HashFunction function, std::string_view text) {
    return function(text.data(), text.size());
}

TEST_CASE("hashes: a null pointer with no bytes is the empty text") {
    for (const HashRow& row : all_hashes()) {
        CAPTURE(row.name);
        CHECK(row.function(nullptr, 0) == row.function("x", 0));
    }
}

TEST_CASE("hashes: no byte past the end is read into the value") {
    for (const HashRow& row : all_hashes()) {
        for (size_t size = 0; size <= 40; ++size) {
            CAPTURE(row.name);
            CAPTURE(size);
            std::string one(size, 'k');
            std::string other = one;
            one += "AAAAAAAAAAAAAAAA";
            other += "ZZZZZZZZZZZZZZZZ";
            CHECK(row.function(one.data(), size) == row.function(other.data(), size));
        }
    }
}

TEST_CASE("hashes: the value does not depend on the alignment of the key") {
    const std::string key = "an.unaligned\xff.key\x80of-some-length";
    for (const HashRow& row : all_hashes()) {
        const uint32_t expected = apply(row.function, key);
        for (size_t shift = 1; shift < 8; ++shift) {
            CAPTURE(row.name);
            CAPTURE(shift);
            const std::string shifted = std::string(shift, '-') + key;
            CHECK(row.function(shifted.data() + shift, key.size()) == expected);
        }
    }
}

TEST_CASE("crc16: bits above the sixteenth are kept") {
    CHECK(apply(crc16, "a") == 31879);
    CHECK(apply(crc16, "ab") == 8156415);
    CHECK((apply(crc16, "123456789") & 0xffffU) == 0x31c3U);  // CRC-16/XMODEM's check value
}

TEST_CASE("crc32: is fifteen bits of crc32a") {
    CHECK(apply(crc32a, "123456789") == 0xcbf43926U);  // CRC-32/ISO-HDLC's check value
    CHECK(apply(crc32, "123456789") == 0x4bf4U);
}

TEST_CASE("fnv: bytes above 127 are sign-extended") {
    CHECK(apply(fnv1_64, "\xff") == 2046707744U);
    CHECK(apply(fnv1a_64, "\xff") == 2046707310U);
    CHECK(apply(fnv1_32, "\xff") == 4210270944U);
    CHECK(apply(fnv1a_32, "\xff") == 4193493326U);
}

TEST_CASE("hsieh: only the last byte of a tail of three is signed") {
    CHECK(apply(hsieh, "\xff") == 44489640U);
    CHECK(apply(hsieh, "ab\x80") == 1481470627U);
}

TEST_CASE("jenkins: the empty text is not mixed") {
    CHECK(apply(jenkins, "") == 0xdeadbeefU + 13U);
    CHECK(apply(jenkins, "abcdefghijkl") == 4220209635U);
    CHECK(apply(jenkins, "abcdefghijklm") == 3055675487U);
}

}  // namespace
}  // namespace ringmaster::hash
