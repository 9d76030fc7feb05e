// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/connection.h"

namespace bench {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;
char chunk[kChunk];
// Answered requests at the front of a queue that never runs empty are dropped at so many.
constexpr std::size_t kAnsweredMax = 4096;

}  // namespace

Connection::Connection(uv_loop_t* loop, const Protocol& protocol, ConnectionEvents& events)
    : protocol_(protocol), events_(events) {
    uv_tcp_init(loop, &tcp_);
    tcp_.data = this;
}

void Connection::connect(std::uint16_t port) {
    sockaddr_in address = {};
    uv_ip4_addr("127.0.0.1", port, &address);
    const int bad = uv_tcp_connect(
        &connect_, &tcp_, reinterpret_cast<const sockaddr*>(&address),
        [](uv_connect_t* connect, int status) {
            auto* self = static_cast<Connection*>(connect->handle->data);
            if (status != 0) {
                self->events_.on_failure(std::string("connect: ") + uv_strerror(status));
                return;
            }
            uv_tcp_nodelay(&self->tcp_, 1);
            uv_read_start(
                self->stream(),
                [](uv_handle_t*, std::size_t, uv_buf_t* into) {
                    *into = uv_buf_init(chunk, kChunk);
                },
                on_read);
            self->events_.on_connected(*self);
        });
    if (bad != 0) {
        events_.on_failure(std::string("connect: ") + uv_strerror(bad));
    }
}

void Connection::queue(Request request) {
    protocol_.write(request, out_);
    requests_.push_back(request);
}

void Connection::flush() {
    if (!leaving_.empty() || out_.empty()) {
        return;
    }
    uv_buf_t all = uv_buf_init(out_.data(), static_cast<unsigned>(out_.size()));
    int sent = uv_try_write(stream(), &all, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        events_.on_failure(std::string("write: ") + uv_strerror(sent));
        return;
    }
    sent = sent < 0 ? 0 : sent;
    if (static_cast<std::size_t>(sent) < out_.size()) {
        leaving_.assign(out_, static_cast<std::size_t>(sent));
        all = uv_buf_init(leaving_.data(), static_cast<unsigned>(leaving_.size()));
        uv_write(&write_, stream(), &all, 1, on_written);
    }
    out_.clear();
}

void Connection::on_written(uv_write_t* write, int status) {
    auto* self = static_cast<Connection*>(write->handle->data);
    if (status != 0) {
        self->events_.on_failure(std::string("write: ") + uv_strerror(status));
        return;
    }
    self->leaving_.clear();
    self->flush();
}

void Connection::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
    auto* self = static_cast<Connection*>(stream->data);
    if (size < 0) {
        self->events_.on_failure(std::string("read: ") + uv_strerror(static_cast<int>(size)));
    } else if (size > 0) {
        self->on_bytes({buffer->base, static_cast<std::size_t>(size)});
    }
}

void Connection::on_bytes(std::string_view bytes) {
    const std::uint64_t now_ns = uv_hrtime();
    while (!bytes.empty()) {
        if (answered_ == requests_.size()) {
            events_.on_failure("a reply to nothing: " + std::string(bytes.substr(0, 120)));
            return;
        }
        Request& request = requests_[answered_];
        const ReplyReader::Result result = reader_.read(protocol_, request, bytes);
        if (result == ReplyReader::Result::kWrong) {
            events_.on_failure("not the reply that was due: " + reader_.complaint());
            return;
        }
        if (result == ReplyReader::Result::kMore) {
            return;
        }
        ++answered_;
        events_.on_reply(request, now_ns);
    }
    if (answered_ == requests_.size()) {
        requests_.clear();
        answered_ = 0;
        events_.on_drained(*this);
    } else if (answered_ >= kAnsweredMax && answered_ * 2 >= requests_.size()) {
        requests_.erase(requests_.begin(),
                        requests_.begin() + static_cast<std::ptrdiff_t>(answered_));
        answered_ = 0;
    }
}

}  // namespace bench
