// SPDX-License-Identifier: Apache-2.0
#include "worker/test_faults.h"

#ifdef RM_EXPENSIVE_CHECKS

#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::worker {

TestFaults::TestFaults(uint32_t slot) {
    if (const char* folder = std::getenv("RINGMASTER_TEST_FAULTS")) {
        hang_file_ = base::format("{}/hang.{}", folder, slot);
        answer_file_ = base::format("{}/hangs.{}", folder, slot);
        RM_LOG(kNotice, "test faults are on: {}", hang_file_);
    }
}

void TestFaults::check() const noexcept {
    if (hang_file_.empty() || ::access(hang_file_.c_str(), F_OK) != 0) {
        return;
    }
    ::close(::open(answer_file_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    while (::access(hang_file_.c_str(), F_OK) == 0) {
        ::poll(nullptr, 0, 5);
    }
}

}  // namespace ringmaster::worker

#endif
