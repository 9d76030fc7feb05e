// SPDX-License-Identifier: Apache-2.0
#include "common/io/process.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/wait.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

namespace {

constexpr int kChildFdMax = 15;

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

// Lives until its handle is closed (which is after the child has ended) and its owner has let go.
struct Process::Impl : LoopTenant {
    uv_process_t process{};
    bool owned = true;
    bool exited = false;
    bool closed = false;
    std::function<void(ProcessExit)> on_exit;

    void close() noexcept;
    void release() noexcept;
    void on_loop_end() noexcept override;
};

namespace {

using Impl = Process::Impl;

void on_child_exit(uv_process_t* handle, int64_t code, int signal_number) noexcept {
    auto* impl = impl_of<Impl>(handle);
    impl->exited = true;
    impl->unlink();
    impl->close();
    if (impl->owned && impl->on_exit) {
        // Last: it may destroy the Process, or spawn again with it.
        impl->on_exit({.code = static_cast<int>(code),
                       .signal = signal_number,
                       // What waitpid() said; libuv's callback leaves this bit out.
                       .core_dumped = WCOREDUMP(handle->status) != 0});
    }
}

}  // namespace

void Impl::close() noexcept {
    uv_close(as_handle(&process), [](uv_handle_t* handle) noexcept {
        auto* impl = impl_of<Impl>(handle);
        impl->closed = true;
        if (!impl->owned) {
            delete impl;
        }
    });
}

// Closing the handle of a living child would leave a zombie, so it stays until the child ends; it
// no longer keeps the loop going.
void Impl::release() noexcept {
    owned = false;
    if (closed) {
        delete this;
    } else if (!exited) {
        uv_unref(as_handle(&process));
    }
}

void Impl::on_loop_end() noexcept {
    RM_ASSERT(!owned);
    close();
}

Process::~Process() {
    if (impl_ != nullptr) {
        impl_->release();
    }
}

Process::Process(Process&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this != &other) {
        if (impl_ != nullptr) {
            impl_->release();
        }
        impl_ = std::exchange(other.impl_, nullptr);
    }
    return *this;
}

base::Status Process::spawn(Loop& loop, const SpawnOptions& options,
                            std::function<void(ProcessExit)> on_exit) {
    RM_ASSERT(!running());
    std::array<uv_stdio_container_t, kChildFdMax + 1> slots{};  // UV_IGNORE
    int slot_count = 3;
    for (int fd = 0; fd < slot_count; ++fd) {
        slots[static_cast<size_t>(fd)].flags = UV_INHERIT_FD;
        slots[static_cast<size_t>(fd)].data.fd = fd;
    }
    for (const auto& [child_fd, our_fd] : options.descriptors) {
        RM_ASSERT(child_fd >= 0);
        RM_ASSERT(child_fd <= kChildFdMax);
        RM_ASSERT(our_fd >= 0);
        slots[static_cast<size_t>(child_fd)].flags = UV_INHERIT_FD;
        slots[static_cast<size_t>(child_fd)].data.fd = our_fd;
        slot_count = std::max(slot_count, child_fd + 1);
    }
    std::vector<char*> arguments = pointers_to(options.arguments);
    std::vector<char*> environment = pointers_to(options.environment);
    uv_process_options_t uv_options{};
    uv_options.exit_cb = on_child_exit;
    uv_options.file = options.file.c_str();
    uv_options.args = arguments.data();
    uv_options.env = environment.data();
    uv_options.stdio_count = slot_count;
    uv_options.stdio = slots.data();

    auto* impl = new Impl;
    impl->process.data = impl;
    impl->on_exit = std::move(on_exit);
    const int status = uv_spawn(uv_loop_of(loop), &impl->process, &uv_options);
    if (status < 0) {
        // libuv: also a handle that failed to spawn must be closed.
        impl->owned = false;
        impl->exited = true;
        impl->close();
        return base::Error{
            base::format("cannot start '{}': {}", options.file, base::errno_text(-status))};
    }
    loop.impl().tenants.push_back(*impl);
    if (impl_ != nullptr) {
        impl_->release();
    }
    impl_ = impl;
    return {};
}

bool Process::running() const noexcept {
    return impl_ != nullptr && !impl_->exited;
}

pid_t Process::pid() const noexcept {
    return running() ? uv_process_get_pid(&impl_->process) : 0;
}

void Process::kill(int signal_number) noexcept {
    if (running()) {
        uv_process_kill(&impl_->process, signal_number);
    }
}

}  // namespace ringmaster::io
