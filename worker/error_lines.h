// SPDX-License-Identifier: Apache-2.0
// The lines a client gets when its request could not be served.
//
// Source: nutcracker's `-ERR <strerror>` and `SERVER_ERROR <strerror>`, spec section 8.3.
#pragma once

#include <string>
#include <string_view>

namespace ringmaster::worker {

// AUTH or HELLO with another password, or for another user.
inline constexpr std::string_view kWrongPassword =
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

// The server closed the connection with requests outstanding. Not an errno.
inline constexpr int kServerClosed = 0;

// The worker's share of max_memory has no room. Not an errno.
inline constexpr int kNoMemoryForRequest = -1;
inline constexpr int kNoMemoryForReply = -2;

// With CRLF; valid for ever. `error` is an errno or one of the above.
std::string_view server_error_line(bool redis, int error);

// "-ERR unknown command 'x', with args beginning with: ..." and its kin are made where the request
// is at hand; this makes text from a client safe to stand in an error line.
std::string printable(std::string_view text, size_t max_bytes);

}  // namespace ringmaster::worker
