// SPDX-License-Identifier: Apache-2.0
// From a host as written to the addresses to listen on, and paths of Unix listeners that are
// removed at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

#include "common/base/result.h"
#include "common/io/socket_address.h"

namespace ringmaster::master {

// Blocks while a name is looked up. Distinct addresses, at least one.
base::Result<std::vector<io::SocketAddress>> resolve_bind_addresses(const std::string& host,
                                                                    uint16_t port);

// Calls `open_one` for every address. A name often has addresses that this machine does not offer
// ("localhost" with IPv6 switched off): one that works is enough, except that an address in use
// always fails the whole. Where only one address was given its error is returned as it is.
base::Status open_each(const std::vector<io::SocketAddress>& addresses,
                       const std::function<base::Status(const io::SocketAddress&)>& open_one);

// A Unix listener's place in the file system. Nothing here touches what somebody else put there.
// Valid as long as the listener is open: until then its inode's number is not given to another
// file.
class SocketPath {
  public:
    explicit SocketPath(std::string path);
    // It is still the same socket.
    [[nodiscard]] bool is_ours() const noexcept;
    // Fails also when it is not ours any more.
    [[nodiscard]] base::Status set_mode(mode_t mode) const;
    // When it is still ours.
    void remove() const noexcept;

  private:
    [[nodiscard]] bool is_same(const struct stat& status) const noexcept;

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace ringmaster::master
