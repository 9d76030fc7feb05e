// SPDX-License-Identifier: Apache-2.0
#include "worker/orphan_guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

namespace ringmaster::worker {

namespace {

void on_parent_death(int) {
    // SIGALRM keeps its default action: the end of the process.
    itimerval delay{};
    delay.it_value.tv_sec = 1;
    delay.it_value.tv_usec = 500000;
    ::setitimer(ITIMER_REAL, &delay, nullptr);
}

}  // namespace

bool arm_orphan_guard(pid_t master) {
    // A process group of its own: when the parent's end orphans it, the kernel sends SIGCONT to a
    // stopped member (setpgid(2)), which then runs into its signal and its alarm.
    ::setpgid(0, 0);
    struct sigaction action {};
    action.sa_handler = on_parent_death;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGRTMIN, &action, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGRTMIN);
    // It may have died before. Not "is it 1": in a container the master may be just that.
    return ::getppid() == master;
}

}  // namespace ringmaster::worker
