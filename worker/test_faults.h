// SPDX-License-Identifier: Apache-2.0
// Lets a test make this worker hang or die. Only in builds with expensive checks (debug,
// sanitizers); in a release the class is empty.
//
// With RINGMASTER_TEST_FAULTS=FOLDER in the environment the loop does not turn while the file
// FOLDER/hang.SLOT exists (it makes FOLDER/hangs.SLOT when that begins), and a worker that is told
// to prepare a reload dies while FOLDER/die-preparing.SLOT does.
#pragma once

#include <cstdint>
#include <string>

namespace ringmaster::worker {

#ifdef RM_EXPENSIVE_CHECKS
class TestFaults {
  public:
    explicit TestFaults(uint32_t slot);
    // Once per turn of the loop.
    void check() const noexcept;
    // A reload is about to be prepared.
    void on_prepare() const noexcept;

  private:
    std::string hang_file_;  // empty = no faults
    std::string answer_file_;
    std::string die_file_;
};
#else
class TestFaults {
  public:
    explicit TestFaults(uint32_t /*slot*/) {}
    void check() const noexcept {}
    void on_prepare() const noexcept {}
};
#endif

}  // namespace ringmaster::worker
