// SPDX-License-Identifier: Apache-2.0
// Upper bounds of what the codecs accept, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmaster::proto {

// Redis: a bulk string (proto-max-bulk-len's default).
inline constexpr uint64_t kMaxBulkBytes = 512ULL << 20;
// Redis: arguments of one request (Redis itself refuses more than 1024 * 1024).
inline constexpr uint32_t kMaxArguments = 1024 * 1024;
// Redis: a header line ("*N", "$N") is a digit string; 32 bytes hold any legal one.
inline constexpr size_t kMaxHeaderLineBytes = 32;
// Redis: elements of a reply still to come; a broken server could announce any number.
inline constexpr uint64_t kMaxPendingElements = 1ULL << 32;
// Redis: an inline request (a line from a person at telnet).
inline constexpr size_t kMaxInlineBytes = 64 << 10;
// memcached: KEY_MAX_LENGTH.
inline constexpr size_t kMaxMemcachedKeyBytes = 250;
// memcached: a command line other than get/gets.
inline constexpr size_t kMaxMemcachedLineBytes = 2048;
// memcached: a get/gets line: 100,000 keys of 250 bytes fit.
inline constexpr size_t kMaxMemcachedGetLineBytes = 32 << 20;
// memcached: a value; servers refuse more than their -I, 1 GiB is the most it can be set to.
inline constexpr uint64_t kMaxMemcachedValueBytes = 1ULL << 30;
// memcached, binary: what a packet may have beside its value: extras and a key.
inline constexpr uint64_t kMaxMemcachedPacketOverhead = 1 << 10;
// memcached, binary: a mechanism, a user and a password. Arrives before the client is known.
inline constexpr uint32_t kMaxMemcachedSaslBytes = 4 << 10;

}  // namespace ringmaster::proto
