// SPDX-License-Identifier: Apache-2.0
// The stats port: every connection gets the JSON document, at once and unasked, and an orderly end.
//
// At most kMaxReaders at a time, more are closed at once. A reader gets kStepMs for the document
// and as much to close its side. Source: nutcracker's stats listener (it does not read a request
// either).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/listener.h"
#include "common/io/loop.h"
#include "master/bind_addresses.h"

namespace ringmaster::master {

class StatsServer {
  public:
    static constexpr size_t kMaxReaders = 64;
    static constexpr uint64_t kStepMs = 1000;

    // Calls back exactly once with the document, possibly from inside.
    using MakeDocument = std::function<void(std::function<void(std::string)> on_document)>;

    StatsServer(io::Loop& loop, MakeDocument make_document);
    ~StatsServer();
    StatsServer(const StatsServer&) = delete;
    StatsServer& operator=(const StatsServer&) = delete;

    // `address` is a host or, beginning with '/', a path. Blocks while a name is looked up.
    base::Status open(const std::string& address, uint16_t port);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    // Reachable from other machines.
    [[nodiscard]] bool is_wide() const noexcept { return is_wide_; }

  private:
    class Reader;

    void add_listener(int fd);
    void on_accept(int fd);
    void on_document(uint64_t reader_id, const std::string& document);
    void remove(uint64_t reader_id);

    io::Loop& loop_;
    MakeDocument make_document_;
    std::vector<std::unique_ptr<io::Listener>> listeners_;
    std::vector<SocketPath> paths_;
    std::string text_;
    bool is_wide_ = false;
    uint64_t last_id_ = 0;
    std::list<std::unique_ptr<Reader>> readers_;
};

}  // namespace ringmaster::master
