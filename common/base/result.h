// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error, for operations that can fail in ordinary use.
//
// Member names are those of std::expected, which libstdc++ 12 does not offer to clang 14; a later
// swap is mechanical. Reading the value of a failed result is a bug and asserts.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "common/base/assert.h"

namespace ringmaster::base {

// What went wrong, in words for a person: what, where, and what to do where that is known.
struct Error {
    std::string message;
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        RM_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        RM_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        RM_ASSERT(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    [[nodiscard]] const Error& error() const {
        RM_ASSERT(!has_value());
        return *std::get_if<1>(&state_);
    }

  private:
    std::variant<T, Error> state_;
};

// A Result without a value.
class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Error error) : failed_(true), error_(std::move(error)) {}

    [[nodiscard]] bool ok() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] const Error& error() const {
        RM_ASSERT(failed_);
        return error_;
    }

  private:
    bool failed_ = false;
    Error error_;
};

}  // namespace ringmaster::base
