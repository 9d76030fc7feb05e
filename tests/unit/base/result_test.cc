// SPDX-License-Identifier: Apache-2.0
#include "common/base/result.h"

#include <memory>

#include <doctest/doctest.h>

namespace ringmaster::base {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) {
        return Error{"odd"};
    }
    return number / 2;
}

Status even(int number) {
    if (number % 2 != 0) {
        return Error{"odd"};
    }
    return {};
}

TEST_CASE("result: holds the value of a success") {
    Result<int> result = half(8);
    CHECK(result.has_value());
    CHECK(static_cast<bool>(result));
    CHECK(*result == 4);
    result.value() = 5;
    CHECK(*result == 5);
}

TEST_CASE("result: holds the error of a failure") {
    const Result<int> result = half(7);
    CHECK_FALSE(result.has_value());
    CHECK_FALSE(static_cast<bool>(result));
    CHECK(result.error().message == "odd");
}

TEST_CASE("result: a value that can only be moved is moved out") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
    CHECK(**result == 3);
    const std::unique_ptr<int> taken = std::move(result).value();
    CHECK(*taken == 3);
    CHECK(*result == nullptr);
}

TEST_CASE("result: the arrow reaches into the value") {
    Result<std::string> result(std::string("four"));
    CHECK(result->size() == 4);
}

TEST_CASE("result: a string value is not taken for an error") {
    const Result<std::string> good(std::string("text"));
    const Result<std::string> bad(Error{"text"});
    CHECK(good.has_value());
    CHECK_FALSE(bad.has_value());
}

TEST_CASE("status: ok unless made from an error") {
    CHECK(even(2).ok());
    CHECK(static_cast<bool>(even(2)));
    CHECK_FALSE(even(3).ok());
    CHECK(even(3).error().message == "odd");
}

}  // namespace
}  // namespace ringmaster::base
