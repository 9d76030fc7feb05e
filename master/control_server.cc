// SPDX-License-Identifier: Apache-2.0
#include "master/control_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/sockets.h"
#include "common/io/stream.h"
#include "common/io/timer.h"

namespace ringmaster::master {

namespace {

using base::format;

constexpr size_t kAcceptsPerTurn = 16;
constexpr int kBacklog = 128;
constexpr uint32_t kSocketMode = 0600;
constexpr mode_t kFolderMode = 0755;

struct OwnedWrite : io::PendingWrite {
    std::string bytes;
};

// Why this peer is not listened to; empty when it is.
std::string refusal(int fd) {
    ucred peer{};
    socklen_t size_bytes = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size_bytes) != 0) {
        return format("permission denied: {}", base::errno_text(errno));
    }
    if (peer.uid == 0 || peer.uid == ::geteuid()) {
        return {};
    }
    return format("permission denied: the proxy takes commands from root and from user id {} only",
                  ::geteuid());
}

// The folder of `path`, when its own folder is there.
void make_folder(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash > 0) {
        ::mkdir(path.substr(0, slash).c_str(), kFolderMode);  // what is wrong, the bind says
    }
}

}  // namespace

// One connection: reads the request, waits for the answer, writes it, half-closes, waits for the
// peer's end.
class ControlServer::Connection : private io::StreamHandler {
  public:
    Connection(ControlServer& server, uint64_t id)
        : server_(server), id_(id), timer_(server.loop_, [this] { on_late(); }) {}

    [[nodiscard]] uint64_t id() const noexcept { return id_; }
    [[nodiscard]] bool is_asking() const noexcept { return phase_ == Phase::kAsking; }
    // All of the answer is in its socket; what is left is its own end.
    [[nodiscard]] bool is_answered() const noexcept { return phase_ == Phase::kEnding; }

    // Takes ownership of `fd`. False: it failed, forget this connection.
    bool adopt(int fd) {
        give(server_.request_ms_);
        return stream_.adopt(server_.loop_, fd, true, *this) == 0 && stream_.start_reading() == 0;
    }

    // May destroy this.
    void answer(const ControlAnswer& answer) {
        phase_ = Phase::kAnswering;
        give(kStepMs);
        const std::string bytes = write_answer(answer);
        const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
        const ssize_t written = stream_.try_write(&piece, 1);
        if (written < 0) {
            remove();
            return;
        }
        const auto taken = static_cast<size_t>(written);
        if (taken == bytes.size()) {
            end();
            return;
        }
        auto rest = std::make_unique<OwnedWrite>();
        rest->bytes = bytes.substr(taken);
        rest->pieces = {{rest->bytes.data(), rest->bytes.size()}};
        stream_.write_rest(std::move(rest));
    }

  private:
    enum class Phase { kAsking, kWaiting, kAnswering, kEnding };

    void end() {
        if (peer_ended_) {
            remove();
            return;
        }
        phase_ = Phase::kEnding;
        stream_.shutdown_write();
        give(kStepMs);
    }
    void remove() { server_.remove(id_); }  // destroys this

    void give(uint64_t ms) {
        is_due_ = false;
        timer_.start(ms);
    }

    // Timers run before what has arrived is read. If this process stood still, the peer was in time
    // all the same: it is judged a turn later.
    void on_late() {
        if (!std::exchange(is_due_, true)) {
            timer_.start(1);
            return;
        }
        if (phase_ == Phase::kAsking) {
            answer(control_failure("the request did not come in time"));
        } else {
            remove();
        }
    }

    std::span<char> on_alloc() noexcept override { return buffer_; }

    void on_read(size_t size_bytes) noexcept override {
        if (phase_ != Phase::kAsking) {
            return;  // nothing more was asked for; unread, it would make our close a reset
        }
        request_.append(buffer_.data(), size_bytes);
        std::vector<std::string> words;
        std::string problem;
        ControlParse parsed = parse_request(request_, words, problem);
        if (parsed == ControlParse::kNeedMore && request_.size() > kRequestBytesMax) {
            parsed = ControlParse::kBad;
            problem = "the request is too long";
        }
        if (parsed == ControlParse::kBad) {
            answer(control_failure(problem));
        } else if (parsed == ControlParse::kDone) {
            phase_ = Phase::kWaiting;
            timer_.stop();
            server_.on_request(*this, words);  // may destroy this
        }
    }
    void on_eof() noexcept override {
        peer_ended_ = true;
        // Who has asked may have half-closed and still wants the answer.
        if (phase_ == Phase::kAsking || phase_ == Phase::kEnding) {
            remove();
        }
    }
    void on_error(int /*error*/) noexcept override { remove(); }
    void on_connected(int /*error*/) noexcept override {}
    void on_drained() noexcept override {
        if (phase_ == Phase::kAnswering) {
            end();
        }
    }

    ControlServer& server_;
    const uint64_t id_;
    Phase phase_ = Phase::kAsking;
    bool peer_ended_ = false;
    bool is_due_ = false;  // its time is up, but the loop has not read since
    std::string request_;
    std::array<char, 4096> buffer_{};
    io::Timer timer_;
    io::Stream stream_;
};

ControlServer::ControlServer(io::Loop& loop, Handle handle, uint64_t request_ms)
    : loop_(loop), handle_(std::move(handle)), request_ms_(request_ms) {}

ControlServer::~ControlServer() {
    close();
}

base::Status ControlServer::open(const std::string& path) {
    make_folder(path);
    // Two that start at once would both find the same stale socket and replace each other's.
    const auto lock = io::lock_address("control:" + path);
    if (!lock) {
        return base::Error{format("cannot listen on {}: {}", path, base::errno_text(EADDRINUSE))};
    }
    const auto fd = io::make_unix_listener(path, kSocketMode, kBacklog);
    if (!fd) {
        ::close(*lock);
        return fd.error();
    }
    lock_fd_ = *lock;
    path_ = path;
    socket_path_.emplace(path);
    listener_ = std::make_unique<io::Listener>(loop_, *fd, kAcceptsPerTurn,
                                               [this](int client) { on_accept(client); });
    listener_->start();
    return {};
}

void ControlServer::close() noexcept {
    if (socket_path_) {
        socket_path_->remove();
        socket_path_.reset();
    }
    listener_.reset();
    if (lock_fd_ >= 0) {
        ::close(lock_fd_);
        lock_fd_ = -1;
    }
    path_.clear();
}

bool ControlServer::make_room() {
    if (connections_.size() < kMaxConnections) {
        return true;
    }
    auto one = std::find_if(connections_.begin(), connections_.end(),
                            [](const auto& each) { return each->is_answered(); });
    if (one == connections_.end()) {
        one = std::find_if(connections_.begin(), connections_.end(),
                           [](const auto& each) { return each->is_asking(); });
    }
    if (one == connections_.end()) {
        return false;
    }
    connections_.erase(one);
    return true;
}

void ControlServer::on_accept(int fd) {
    const std::string refused = refusal(fd);
    const std::string problem =
        refused.empty() && !make_room() ? "too many commands at once; try again" : refused;
    if (!problem.empty()) {
        RM_LOG(kWarn, "control socket: {}", problem);
        const std::string bytes = write_answer(control_failure(problem));
        // Fits any socket buffer. What the peer has sent is left unread: it may see a reset behind
        // the answer, which it then has.
        static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
        ::close(fd);
        return;
    }
    auto connection = std::make_unique<Connection>(*this, ++last_id_);
    if (connection->adopt(fd)) {
        connections_.push_back(std::move(connection));
    }
}

void ControlServer::on_request(Connection& connection, const std::vector<std::string>& words) {
    // By id: the connection may be gone when the answer comes.
    handle_(words,
            [this, id = connection.id()](const ControlAnswer& answer) { on_answer(id, answer); });
}

void ControlServer::on_answer(uint64_t connection_id, const ControlAnswer& answer) {
    for (const std::unique_ptr<Connection>& connection : connections_) {
        if (connection->id() == connection_id) {
            connection->answer(answer);  // may destroy it
            return;
        }
    }
}

void ControlServer::remove(uint64_t connection_id) {
    connections_.remove_if([connection_id](const std::unique_ptr<Connection>& connection) {
        return connection->id() == connection_id;
    });
}

}  // namespace ringmaster::master
