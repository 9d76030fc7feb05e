// SPDX-License-Identifier: Apache-2.0
#include "common/io/resolver.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include <netdb.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

namespace {

using Addresses = base::Result<std::vector<SocketAddress>>;

addrinfo stream_hints() noexcept {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    return hints;
}

base::Error cannot_resolve(const std::string& host, const char* reason) {
    return base::Error{base::format("cannot resolve '{}': {}", host, reason)};
}

Addresses addresses_of(const addrinfo* list, const std::string& host, uint16_t port) {
    std::vector<SocketAddress> addresses;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        SocketAddress address = SocketAddress::from_sockaddr(entry->ai_addr, entry->ai_addrlen);
        if (!address.empty()) {
            address.set_port(port);
            addresses.push_back(address);
        }
    }
    if (addresses.empty()) {
        return cannot_resolve(host, "it has no address");
    }
    return addresses;
}

// One call of resolve(). Deletes itself when its request or its timer is through.
struct Resolution : LoopTenant {
    uv_getaddrinfo_t request{};
    uv_timer_t timer{};
    bool uses_timer = false;
    std::string host;
    uint16_t port = 0;
    std::optional<Addresses> answer;  // when known without asking
    OnResolved on_resolved;

    // A look-up that is under way cannot be called off: the Loop then waits for its thread.
    void on_loop_end() noexcept override {
        on_resolved = nullptr;
        if (uses_timer) {
            close_and_delete<Resolution>(&timer);
        } else {
            uv_cancel(reinterpret_cast<uv_req_t*>(&request));
        }
    }
};

void on_answer_due(uv_timer_t* handle) noexcept {
    auto* self = impl_of<Resolution>(handle);
    self->unlink();
    close_and_delete<Resolution>(&self->timer);
    self->on_resolved(std::move(*self->answer));
}

void on_uv_resolved(uv_getaddrinfo_t* request, int status, addrinfo* list) noexcept {
    const std::unique_ptr<Resolution> self(static_cast<Resolution*>(request->data));
    self->unlink();
    if (self->on_resolved) {
        self->on_resolved(status == 0 ? addresses_of(list, self->host, self->port)
                                      : cannot_resolve(self->host, uv_strerror(status)));
    }
    uv_freeaddrinfo(list);
}

}  // namespace

Addresses resolve_now(const std::string& host, uint16_t port) {
    const addrinfo hints = stream_hints();
    addrinfo* list = nullptr;
    const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (status == EAI_SYSTEM) {
        return cannot_resolve(host, base::errno_text(errno).c_str());
    }
    if (status != 0) {
        return cannot_resolve(host, gai_strerror(status));
    }
    Addresses addresses = addresses_of(list, host, port);
    freeaddrinfo(list);
    return addresses;
}

void resolve(Loop& loop, const std::string& host, uint16_t port, OnResolved on_resolved) {
    auto* self = new Resolution;
    self->host = host;
    self->port = port;
    self->on_resolved = std::move(on_resolved);
    loop.impl().tenants.push_back(*self);
    if (const auto numeric = SocketAddress::from_numeric(host, port)) {
        self->answer = Addresses(std::vector<SocketAddress>{*numeric});
    } else {
        self->request.data = self;
        const addrinfo hints = stream_hints();
        const int status = uv_getaddrinfo(uv_loop_of(loop), &self->request, on_uv_resolved,
                                          host.c_str(), nullptr, &hints);
        if (status == 0) {
            return;
        }
        self->answer = Addresses(cannot_resolve(host, uv_strerror(status)));
    }
    // The answer is known now (an address, or that the name cannot even be asked for), but the
    // callback never comes from inside this call.
    self->uses_timer = true;
    self->timer.data = self;
    RM_ASSERT(uv_timer_init(uv_loop_of(loop), &self->timer) == 0);
    RM_ASSERT(uv_timer_start(&self->timer, on_answer_due, 0, 0) == 0);
}

}  // namespace ringmaster::io
