// SPDX-License-Identifier: Apache-2.0
// Doubly linked list whose links live in the elements. No allocation, O(1) unlink.
//
// Ownership: the list never owns its elements. An element unlinks itself when destroyed, and may be
// in at most one list per ListLink base at a time (asserted). Give an element two lists by deriving
// from two links with different tags.
#pragma once

#include "common/base/assert.h"

namespace ringmaster::base {

template <class Tag>
class ListLink {
  public:
    ListLink() = default;
    ListLink(const ListLink&) = delete;
    ListLink& operator=(const ListLink&) = delete;
    ~ListLink() { unlink(); }

    [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

    void unlink() noexcept {
        if (next_ == nullptr) {
            return;
        }
        next_->prev_ = prev_;
        prev_->next_ = next_;
        next_ = nullptr;
        prev_ = nullptr;
    }

  private:
    template <class T, class U>
    friend class IntrusiveList;

    ListLink* next_ = nullptr;
    ListLink* prev_ = nullptr;
};

// T derives from ListLink<Tag>.
template <class T, class Tag>
class IntrusiveList {
  public:
    IntrusiveList() {
        head_.next_ = &head_;
        head_.prev_ = &head_;
    }
    ~IntrusiveList() {
        while (!empty()) {
            head_.next_->unlink();
        }
        head_.next_ = nullptr;
    }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;

    [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }

    T* front() noexcept {
        RM_DEBUG_ASSERT(!empty());
        return static_cast<T*>(head_.next_);
    }

    void push_back(T& element) noexcept {
        ListLink<Tag>& link = element;
        RM_DEBUG_ASSERT(!link.linked());
        link.prev_ = head_.prev_;
        link.next_ = &head_;
        head_.prev_->next_ = &link;
        head_.prev_ = &link;
    }

    T* pop_front() noexcept {
        T* element = front();
        static_cast<ListLink<Tag>*>(element)->unlink();
        return element;
    }

    T* front_or_null() noexcept { return empty() ? nullptr : static_cast<T*>(head_.next_); }

    // The element behind `element`, or null at the end: for walks that do not change the list.
    T* next_or_null(T& element) noexcept {
        ListLink<Tag>* next = static_cast<ListLink<Tag>&>(element).next_;
        return next == &head_ ? nullptr : static_cast<T*>(next);
    }

  private:
    ListLink<Tag> head_;
};

}  // namespace ringmaster::base
