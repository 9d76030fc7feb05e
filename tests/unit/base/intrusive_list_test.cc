// SPDX-License-Identifier: Apache-2.0
#include "common/base/intrusive_list.h"

#include <memory>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::base {
namespace {

struct ByAge;
struct ByName;

struct Item : ListLink<ByAge>, ListLink<ByName> {
    explicit Item(int number_) : number(number_) {}
    int number;
};

using AgeList = IntrusiveList<Item, ByAge>;
using NameList = IntrusiveList<Item, ByName>;

template <class List>
std::vector<int> numbers(List& list) {
    std::vector<int> out;
    for (Item* item = list.front_or_null(); item != nullptr; item = list.next_or_null(*item)) {
        out.push_back(item->number);
    }
    return out;
}

void unlink_age(Item& item) {
    static_cast<ListLink<ByAge>&>(item).unlink();
}

bool age_linked(const Item& item) {
    return static_cast<const ListLink<ByAge>&>(item).linked();
}

TEST_CASE("intrusive list: a new list is empty") {
    AgeList list;
    CHECK(list.empty());
    CHECK(list.front_or_null() == nullptr);
}

TEST_CASE("intrusive list: elements come out in the order they went in") {
    Item a(1);
    Item b(2);
    Item c(3);
    AgeList list;
    list.push_back(a);
    list.push_back(b);
    list.push_back(c);
    CHECK(numbers(list) == std::vector<int>{1, 2, 3});
    CHECK(list.pop_front() == &a);
    CHECK_FALSE(age_linked(a));
    CHECK(list.front() == &b);
    CHECK(list.pop_front() == &b);
    CHECK(list.pop_front() == &c);
    CHECK(list.empty());
}

TEST_CASE("intrusive list: an element leaves from the front, the middle and the end") {
    Item a(1);
    Item b(2);
    Item c(3);
    Item d(4);
    AgeList list;
    for (Item* item : {&a, &b, &c, &d}) {
        list.push_back(*item);
    }
    unlink_age(b);
    CHECK(numbers(list) == std::vector<int>{1, 3, 4});
    unlink_age(d);
    CHECK(numbers(list) == std::vector<int>{1, 3});
    unlink_age(a);
    CHECK(numbers(list) == std::vector<int>{3});
    unlink_age(c);
    CHECK(list.empty());
}

TEST_CASE("intrusive list: unlinking twice is harmless, and an element may come back") {
    Item a(1);
    Item b(2);
    AgeList list;
    list.push_back(a);
    list.push_back(b);
    unlink_age(a);
    unlink_age(a);
    list.push_back(a);
    CHECK(numbers(list) == std::vector<int>{2, 1});
}

TEST_CASE("intrusive list: an element that is destroyed leaves its lists") {
    AgeList by_age;
    NameList by_name;
    Item a(1);
    Item c(3);
    by_age.push_back(a);
    by_name.push_back(c);
    {
        auto b = std::make_unique<Item>(2);
        by_age.push_back(*b);
        by_name.push_back(*b);
        by_age.push_back(c);
        CHECK(numbers(by_age) == std::vector<int>{1, 2, 3});
    }
    CHECK(numbers(by_age) == std::vector<int>{1, 3});
    CHECK(numbers(by_name) == std::vector<int>{3});
}

TEST_CASE("intrusive list: an element is in two lists of different tags independently") {
    AgeList by_age;
    NameList by_name;
    Item a(1);
    Item b(2);
    by_age.push_back(a);
    by_age.push_back(b);
    by_name.push_back(b);
    by_name.push_back(a);
    unlink_age(a);
    CHECK(numbers(by_age) == std::vector<int>{2});
    CHECK(numbers(by_name) == std::vector<int>{2, 1});
}

TEST_CASE("intrusive list: a list that is destroyed lets its elements go") {
    Item a(1);
    Item b(2);
    {
        AgeList list;
        list.push_back(a);
        list.push_back(b);
        CHECK(age_linked(a));
    }
    CHECK_FALSE(age_linked(a));
    CHECK_FALSE(age_linked(b));
    AgeList other;
    other.push_back(b);
    CHECK(numbers(other) == std::vector<int>{2});
}

}  // namespace
}  // namespace ringmaster::base
