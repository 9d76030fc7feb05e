// SPDX-License-Identifier: Apache-2.0
// Private to common/io: the handle helpers that every wrapper uses.
//
// Ownership ends at once, memory ends later: libuv may touch a handle until its close callback. An
// Impl therefore contains its handle, is detached by its owner, and is deleted by the callback.
#pragma once

#include <uv.h>

namespace ringmaster::io {

template <class H>
uv_handle_t* as_handle(H* handle) noexcept {
    return reinterpret_cast<uv_handle_t*>(handle);
}

// The Impl that `handle->data` points to.
template <class I, class H>
I* impl_of(const H* handle) noexcept {
    return static_cast<I*>(handle->data);
}

// Closes a handle whose `data` is the Impl that contains it; the Impl is deleted afterwards.
template <class I, class H>
void close_and_delete(H* handle) noexcept {
    uv_close(as_handle(handle), [](uv_handle_t* closed) noexcept { delete impl_of<I>(closed); });
}

}  // namespace ringmaster::io
