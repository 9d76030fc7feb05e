// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/worker/allocations/counter.h"

#include <cerrno>
#include <cstddef>

#include <execinfo.h>
#include <unistd.h>

#include "common/base/assert.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RM_SANITIZED_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RM_SANITIZED_MALLOC 1
#endif

namespace ringmaster::allocations {
namespace {

constexpr uint64_t kMostExplained = 3;

// Plain, no atomics: the data path has one thread. Must work before any constructor has run.
constinit bool counting = false;
constinit bool explaining = false;
constinit uint64_t count = 0;

void print_stack();

void on_allocation() {
    if (!counting) {
        return;
    }
    ++count;
    if (explaining && count <= kMostExplained) {
        counting = false;  // printing may allocate
        print_stack();
        counting = true;
    }
}

}  // namespace
}  // namespace ringmaster::allocations

#ifdef RM_SANITIZED_MALLOC

// Declared here because g++ 12 does not install the header.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*,
                                                                           size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" void __sanitizer_print_stack_trace();

namespace ringmaster::allocations {
namespace {

void print_stack() {
    __sanitizer_print_stack_trace();
}

void install() {
    static bool installed = false;
    if (!installed) {
        installed = __sanitizer_install_malloc_and_free_hooks(
                        [](const volatile void* /*pointer*/, size_t /*size*/) { on_allocation(); },
                        [](const volatile void* /*pointer*/) {}) > 0;
        RM_ASSERT(installed);
    }
}

}  // namespace
}  // namespace ringmaster::allocations

#else

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* pointer, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
    ringmaster::allocations::on_allocation();
    return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
    ringmaster::allocations::on_allocation();
    return __libc_calloc(count, size);
}
void* realloc(void* pointer, size_t size) {
    ringmaster::allocations::on_allocation();
    return __libc_realloc(pointer, size);
}
void* memalign(size_t alignment, size_t size) {
    ringmaster::allocations::on_allocation();
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}
int posix_memalign(void** pointer, size_t alignment, size_t size) {
    *pointer = memalign(alignment, size);
    return *pointer != nullptr ? 0 : ENOMEM;
}
}

namespace ringmaster::allocations {
namespace {

void print_stack() {
    void* frames[32];
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
}

void install() {}

}  // namespace
}  // namespace ringmaster::allocations

#endif

namespace ringmaster::allocations {

void start_counting(Explain explain) {
    install();
    count = 0;
    explaining = explain == Explain::kYes;
    counting = true;
}

uint64_t stop_counting() {
    counting = false;
    return count;
}

}  // namespace ringmaster::allocations
