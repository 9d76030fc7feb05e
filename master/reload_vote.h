// SPDX-License-Identifier: Apache-2.0
// Whether a reload may be committed: one worker is asked first, the others after its yes, and every
// one of them has a say. Pure.
//
// One first: a config that ends the process that builds it costs one worker, not all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace ringmaster::master {

class ReloadVote {
  public:
    enum class Step {
        kWait,
        kAskOthers,  // asked() has them
        kCommit,
        kAbort,  // reason() says why
    };

    // `voters`: slots whose workers are READY; the first one is asked now. Requires: some.
    void begin(uint64_t generation, std::vector<size_t> voters);
    void end() { *this = ReloadVote(); }

    // What has come from a worker that was not asked, or is about another generation, is ignored.
    Step on_prepared(size_t slot, uint64_t generation, const std::string& reason);
    Step on_gone(size_t slot, const std::string& how);
    // Its worker has ended as it should: it has no say any more.
    Step on_left(size_t slot);
    Step on_timeout();

    [[nodiscard]] bool open() const noexcept { return !voters_.empty(); }
    [[nodiscard]] bool is_voter(size_t slot) const;
    // Those that have been asked so far.
    [[nodiscard]] std::vector<size_t> asked() const;
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  private:
    Step abort(std::string reason);

    uint64_t generation_ = 0;
    std::vector<size_t> voters_;
    bool all_asked_ = false;
    std::set<size_t> yes_;
    std::string reason_;
};

}  // namespace ringmaster::master
