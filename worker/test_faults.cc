// SPDX-License-Identifier: Apache-2.0
#include "worker/test_faults.h"

#ifdef RM_EXPENSIVE_CHECKS

#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::worker {

TestFaults::TestFaults(uint32_t slot) {
    if (const char* folder = std::getenv("RINGMASTER_TEST_FAULTS")) {
        hang_file_ = base::format("{}/hang.{}", folder, slot);
        answer_file_ = base::format("{}/hangs.{}", folder, slot);
        die_file_ = base::format("{}/die-preparing.{}", folder, slot);
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

void TestFaults::on_prepare() const noexcept {
    if (!die_file_.empty() && ::access(die_file_.c_str(), F_OK) == 0) {
        ::kill(::getpid(), SIGKILL);  // as a crash would, but without a core
    }
}

}  // namespace ringmaster::worker

#endif
