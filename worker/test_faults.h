// SPDX-License-Identifier: Apache-2.0
// Lets a test make this worker hang. Only in builds with expensive checks (debug, sanitizers); in a
// release the class is empty.
//
// With RINGMASTER_TEST_FAULTS=FOLDER in the environment the loop does not turn while the file
// FOLDER/hang.SLOT exists; it makes FOLDER/hangs.SLOT when that begins.
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

  private:
    std::string hang_file_;  // empty = no faults
    std::string answer_file_;
};
#else
class TestFaults {
  public:
    explicit TestFaults(uint32_t /*slot*/) {}
    void check() const noexcept {}
};
#endif

}  // namespace ringmaster::worker
