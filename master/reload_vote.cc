// SPDX-License-Identifier: Apache-2.0
#include "master/reload_vote.h"

#include <algorithm>
#include <utility>

#include "common/base/assert.h"
#include "common/base/format.h"

namespace ringmaster::master {

void ReloadVote::begin(uint64_t generation, std::vector<size_t> voters) {
    RM_ASSERT(!voters.empty());
    generation_ = generation;
    voters_ = std::move(voters);
    all_asked_ = voters_.size() == 1;
    yes_.clear();
    reason_.clear();
}

bool ReloadVote::is_voter(size_t slot) const {
    return std::find(voters_.begin(), voters_.end(), slot) != voters_.end();
}

std::vector<size_t> ReloadVote::asked() const {
    if (all_asked_ || voters_.empty()) {
        return voters_;
    }
    return {voters_.front()};
}

ReloadVote::Step ReloadVote::on_prepared(size_t slot, uint64_t generation,
                                         const std::string& reason) {
    const std::vector<size_t> asked_now = asked();
    if (generation != generation_ ||
        std::find(asked_now.begin(), asked_now.end(), slot) == asked_now.end()) {
        return Step::kWait;
    }
    if (!reason.empty()) {
        return abort(base::format("worker {} cannot serve it: {}", slot, reason));
    }
    yes_.insert(slot);
    if (yes_.size() == voters_.size()) {
        return Step::kCommit;
    }
    if (!all_asked_) {
        all_asked_ = true;
        return Step::kAskOthers;
    }
    return Step::kWait;
}

ReloadVote::Step ReloadVote::on_gone(size_t slot, const std::string& how) {
    if (!is_voter(slot)) {
        return Step::kWait;
    }
    return abort(base::format("worker {} ended while preparing it: {}", slot, how));
}

ReloadVote::Step ReloadVote::on_left(size_t slot) {
    if (std::erase(voters_, slot) == 0) {
        return Step::kWait;
    }
    yes_.erase(slot);
    if (voters_.empty()) {
        return abort("no worker is left to take it");
    }
    if (yes_.size() == voters_.size()) {
        return Step::kCommit;
    }
    return all_asked_ ? Step::kWait : Step::kAskOthers;  // the first one is another now
}

ReloadVote::Step ReloadVote::on_timeout() {
    std::string silent;
    for (const size_t slot : asked()) {
        if (!yes_.contains(slot)) {
            silent += silent.empty() ? std::to_string(slot) : ", " + std::to_string(slot);
        }
    }
    return abort(base::format("no answer from worker {}", silent));
}

ReloadVote::Step ReloadVote::abort(std::string reason) {
    reason_ = std::move(reason);
    return Step::kAbort;
}

}  // namespace ringmaster::master
