// SPDX-License-Identifier: Apache-2.0
// A connected (or connecting) TCP or Unix stream.
//
// Ownership: the handler is borrowed and must outlive the Stream. Destroying the Stream closes the
// connection at once; no callback comes afterwards. A Stream may be destroyed inside any of its
// handler's callbacks except on_alloc(); the callback must then return without touching it.
// Errors are positive errno values.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <sys/types.h>
#include <sys/uio.h>

#include "common/io/loop.h"
#include "common/io/socket_address.h"

namespace ringmaster::io {

class StreamHandler {
  public:
    virtual ~StreamHandler() = default;
    // Where the next bytes go. An empty span ends reading for this turn of the loop without losing
    // anything. Must not stop reading nor destroy the stream.
    virtual std::span<char> on_alloc() noexcept = 0;
    // `size_bytes` > 0 bytes now stand at the beginning of the span that on_alloc() returned.
    virtual void on_read(size_t size_bytes) noexcept = 0;
    // The peer has sent its last byte. Nothing is read after this.
    virtual void on_eof() noexcept = 0;
    // Reading or a queued write failed; nothing is read or written after this.
    virtual void on_error(int error) noexcept = 0;
    // Outcome of connect(): 0 or an errno. Not called for adopted descriptors.
    virtual void on_connected(int error) noexcept = 0;
    // All of the last write_rest() is with the kernel.
    virtual void on_drained() noexcept = 0;
    // A queued write made progress is not reported; see bytes_queued().
};

// Bytes that the kernel would not take at once. Owns what `pieces` point to.
struct PendingWrite {
    virtual ~PendingWrite() = default;
    std::vector<iovec> pieces;
};

class Stream {
  public:
    Stream() = default;
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    // Takes ownership of a connected, non-blocking `fd` (closed on failure too). Returns 0 or an
    // errno.
    int adopt(Loop& loop, int fd, bool is_unix, StreamHandler& handler);
    // Starts connecting; the outcome comes by on_connected(), never from inside this call.
    // Returns 0, or an errno when it could not even start (then nothing is called).
    // TCP sockets get TCP_NODELAY. A connection to itself (loopback, port in the ephemeral range)
    // is reported as ECONNREFUSED.
    int connect(Loop& loop, const SocketAddress& address, StreamHandler& handler);

    [[nodiscard]] bool is_open() const noexcept { return impl_ != nullptr; }
    // Closes without notice; is_open() is false afterwards.
    void close() noexcept;
    // Closes with a reset instead of an orderly end (SO_LINGER 0).
    void close_with_reset() noexcept;

    int start_reading() noexcept;
    void stop_reading() noexcept;

    // Writes at once what the kernel takes. Returns the bytes taken (0 = would block, or a queued
    // write or the connect is still pending), or -errno.
    ssize_t try_write(const iovec* pieces, size_t count) noexcept;
    ssize_t try_write(const char* data, size_t size) noexcept;
    // Queues the rest; one at a time (requires !write_pending()). on_drained() or on_error()
    // follows.
    void write_rest(std::unique_ptr<PendingWrite> rest);
    [[nodiscard]] bool write_pending() const noexcept;
    // Bytes of write_rest() not yet taken by the kernel.
    [[nodiscard]] size_t bytes_queued() const noexcept;

    // Sends FIN once everything written is out; the stream goes on reading.
    void shutdown_write() noexcept;

    int set_keepalive(bool on) noexcept;  // TCP only; 0 or an errno
    [[nodiscard]] SocketAddress peer() const;
    [[nodiscard]] int fd() const noexcept;  // for tests and options; -1 when closed

    struct Impl;

  private:
    Impl* impl_ = nullptr;  // freed by the loop once its handle is closed
};

}  // namespace ringmaster::io
