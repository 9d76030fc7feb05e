// SPDX-License-Identifier: Apache-2.0
#include "master/stats_server.h"

#include <algorithm>
#include <array>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/io/sockets.h"
#include "common/io/stream.h"
#include "common/io/timer.h"

namespace ringmaster::master {

namespace {

constexpr size_t kAcceptsPerTurn = 16;

bool is_loopback(const io::SocketAddress& address) {
    if (address.family() == AF_INET) {
        const auto* in = reinterpret_cast<const sockaddr_in*>(address.get());
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address.get());
    return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

struct OwnedWrite : io::PendingWrite {
    std::string bytes;
};

}  // namespace

// One connection: waits for the document, writes it, half-closes, waits for the peer's end. What
// the peer sends is read and dropped: unread bytes would turn our close into a reset.
class StatsServer::Reader : private io::StreamHandler {
  public:
    Reader(StatsServer& server, uint64_t id)
        : server_(server), id_(id), timer_(server.loop_, [this] { remove(); }) {}

    [[nodiscard]] uint64_t id() const noexcept { return id_; }

    // Takes ownership of `fd`. False: it failed, forget this reader.
    bool adopt(int fd, bool is_unix) {
        return stream_.adopt(server_.loop_, fd, is_unix, *this) == 0 &&
               stream_.start_reading() == 0;
    }

    void write(const std::string& document) {
        timer_.start(kStepMs);
        const iovec piece{const_cast<char*>(document.data()), document.size()};
        const ssize_t written = stream_.try_write(&piece, 1);
        if (written < 0) {
            remove();
            return;
        }
        const auto taken = static_cast<size_t>(written);
        if (taken == document.size()) {
            end();
            return;
        }
        auto rest = std::make_unique<OwnedWrite>();
        rest->bytes = document.substr(taken);
        rest->pieces = {{rest->bytes.data(), rest->bytes.size()}};
        stream_.write_rest(std::move(rest));
    }

  private:
    void end() {
        if (peer_ended_) {
            remove();
            return;
        }
        all_written_ = true;
        stream_.shutdown_write();
        timer_.start(kStepMs);
    }
    void remove() { server_.remove(id_); }  // destroys this

    std::span<char> on_alloc() noexcept override { return waste_; }
    void on_read(size_t /*size_bytes*/) noexcept override {}
    void on_eof() noexcept override {
        // A half-closed client ("nc HOST PORT </dev/null") still wants its answer.
        peer_ended_ = true;
        if (all_written_) {
            remove();
        }
    }
    void on_error(int /*error*/) noexcept override { remove(); }
    void on_connected(int /*error*/) noexcept override {}
    void on_drained() noexcept override {
        if (!all_written_) {
            end();
        }
    }

    StatsServer& server_;
    const uint64_t id_;
    bool peer_ended_ = false;
    bool all_written_ = false;
    std::array<char, 1024> waste_{};
    io::Timer timer_;
    io::Stream stream_;
};

StatsServer::StatsServer(io::Loop& loop, MakeDocument make_document)
    : loop_(loop), make_document_(std::move(make_document)) {}

StatsServer::~StatsServer() {
    for (const SocketPath& path : paths_) {
        path.remove();
    }
}

base::Status StatsServer::open(const std::string& address, uint16_t port) {
    if (address.starts_with('/')) {
        const auto fd = io::make_unix_listener(address, 0, SOMAXCONN);
        if (!fd) {
            return fd.error();
        }
        paths_.emplace_back(address);
        text_ = address;
        add_listener(*fd);
        return {};
    }
    const auto addresses = resolve_bind_addresses(address, port);
    if (!addresses) {
        return addresses.error();
    }
    return open_each(*addresses, [this](const io::SocketAddress& one) -> base::Status {
        const auto fd = io::make_exclusive_tcp_listener(one, SOMAXCONN);
        if (!fd) {
            return fd.error();
        }
        text_ += text_.empty() ? one.text() : ", " + one.text();
        is_wide_ = is_wide_ || !is_loopback(one);
        add_listener(*fd);
        return {};
    });
}

void StatsServer::add_listener(int fd) {
    listeners_.push_back(std::make_unique<io::Listener>(loop_, fd, kAcceptsPerTurn,
                                                        [this](int client) { on_accept(client); }));
    listeners_.back()->start();
}

void StatsServer::on_accept(int fd) {
    if (readers_.size() >= kMaxReaders) {
        RM_LOG(kInfo, "stats: {} readers already, closing one more", kMaxReaders);
        ::close(fd);
        return;
    }
    sockaddr_storage storage{};
    socklen_t size_bytes = sizeof storage;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size_bytes);
    const uint64_t id = ++last_id_;
    auto reader = std::make_unique<Reader>(*this, id);
    if (!reader->adopt(fd, storage.ss_family == AF_UNIX)) {
        return;
    }
    readers_.push_back(std::move(reader));
    // By id: the reader may be gone when the document comes.
    make_document_([this, id](const std::string& document) { on_document(id, document); });
}

void StatsServer::on_document(uint64_t reader_id, const std::string& document) {
    for (const std::unique_ptr<Reader>& reader : readers_) {
        if (reader->id() == reader_id) {
            reader->write(document);  // may destroy it
            return;
        }
    }
}

void StatsServer::remove(uint64_t reader_id) {
    readers_.remove_if(
        [reader_id](const std::unique_ptr<Reader>& reader) { return reader->id() == reader_id; });
}

}  // namespace ringmaster::master
