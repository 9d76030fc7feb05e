// SPDX-License-Identifier: Apache-2.0
#include "worker/resp3_support.h"

namespace ringmaster::worker {

Resp3Support::Verdict Resp3Support::verdict(uint64_t now_ms) const noexcept {
    if (mode_ != config::Resp3::kAuto) {
        return mode_ == config::Resp3::kOn ? Verdict::kSpoken : Verdict::kNotSpoken;
    }
    switch (state_) {
        case State::kSpoken:
            return Verdict::kSpoken;
        case State::kNotSpoken:
            return now_ms - since_ms_ < kAskAgainMs ? Verdict::kNotSpoken : Verdict::kOpen;
        case State::kUnasked:
            return now_ms < assumed_until_ms_ ? Verdict::kSpoken : Verdict::kOpen;
        case State::kAsking:
            break;
    }
    return Verdict::kOpen;
}

void Resp3Support::ask(const std::vector<uint32_t>& shards, uint64_t now_ms) {
    state_ = State::kAsking;
    heard_yes_ = false;
    since_ms_ = now_ms;
    unheard_ = shards;
    if (unheard_.empty()) {
        settle(now_ms);
    }
}

void Resp3Support::settle(uint64_t now_ms) noexcept {
    unheard_.clear();
    if (heard_yes_) {
        state_ = State::kSpoken;
    } else {
        state_ = State::kUnasked;
        assumed_until_ms_ = now_ms + kAssumeMs;
    }
}

bool Resp3Support::on_answer(uint32_t shard, Resp3Answer answer, uint64_t now_ms) {
    if (answer == Resp3Answer::kNo) {
        const bool is_news = state_ != State::kNotSpoken;
        state_ = State::kNotSpoken;
        since_ms_ = now_ms;
        unheard_.clear();
        return is_news;
    }
    if (state_ != State::kAsking || std::erase(unheard_, shard) == 0) {
        return false;
    }
    heard_yes_ = heard_yes_ || answer == Resp3Answer::kYes;
    if (!unheard_.empty()) {
        return false;
    }
    settle(now_ms);
    return true;
}

bool Resp3Support::give_up_if_due(uint64_t now_ms) {
    if (state_ != State::kAsking || now_ms - since_ms_ < kAskMs) {
        return false;
    }
    settle(now_ms);
    return true;
}

}  // namespace ringmaster::worker
