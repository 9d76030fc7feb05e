// SPDX-License-Identifier: Apache-2.0
#include "common/io/loop.h"

#include <csignal>
#include <ctime>
#include <memory>

#include "common/io/signal.h"
#include "common/io/timer.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

// Uses up the time of this thread, as a stuck callback would.
void be_busy_ms(long ms) {
    timespec from{};
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        ::clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

TEST_CASE("loop: run returns when nothing is left, hooks alone keep nothing alive") {
    TestLoop test;
    test.loop.run();
    CHECK(test.turns == 0);
}

TEST_CASE("loop: stop before run makes run return") {
    TestLoop test;
    Timer timer(test.loop, [] {});
    timer.start(100000);
    test.loop.stop();
    test.loop.run();
    CHECK(timer.running());
}

TEST_CASE("loop: both hooks run once per turn, around the wait") {
    struct Hooks : LoopHooks {
        explicit Hooks(Loop& loop) : timer(loop, [this] { order += 't'; }) {}
        std::string order;
        Timer timer;
        void before_poll() noexcept override {
            // Only the wait comes between this and the next turn, in which it is due then, however
            // slow the machine is.
            if (order.empty()) {
                timer.start(1);
            }
            order += 'b';
        }
        void after_poll() noexcept override { order += 'a'; }
    };
    Loop loop;
    Hooks hooks(loop);
    loop.set_hooks(&hooks);
    hooks.timer.start(60000);  // something to turn for
    loop.run();
    CHECK(hooks.order == "batba");
    loop.set_hooks(nullptr);
}

TEST_CASE("timer: repeats, restarts, stops, and may be destroyed in its callback") {
    TestLoop test;
    int count = 0;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(test.loop, [&] {
        if (++count == 3) {
            timer.reset();
        }
    });
    timer->start(1, 1);
    CHECK(timer->running());
    test.loop.run();
    CHECK(count == 3);
    CHECK(timer == nullptr);

    Timer once(test.loop, [&] { ++count; });
    once.start(100000);
    once.start(1);
    test.loop.run();
    CHECK(count == 4);
    CHECK_FALSE(once.running());
    once.start(1);
    once.stop();
    test.loop.run();
    CHECK(count == 4);
}

TEST_CASE("timer: a mark it makes is seen by after_poll at once, even if nothing else is due") {
    TestLoop test;
    bool marked = false;
    Timer marks(test.loop, [&] { marked = true; });
    Timer later(test.loop, [] {});
    later.start(60000);
    // Due while the callbacks of this turn still run: the wait before it cannot see it.
    Timer busy(test.loop, [&] {
        marks.start(5);
        be_busy_ms(20);
    });
    busy.start(1);
    test.run_until([&] { return marked; });
    CHECK(marked);
}

TEST_CASE("loop: a lawful wait is active time") {
    TestLoop test;
    const uint64_t now = test.loop.now_ms();
    const uint64_t active = test.loop.active_ms();
    // A new watcher and a timer in one turn: libuv then cannot tell the timeout beforehand.
    const auto [ours, theirs] = socket_pair();
    Recorder end;
    bool due = false;
    Timer timer(test.loop, [&] { due = true; });
    REQUIRE(end.stream.adopt(test.loop, ours, true, end) == 0);
    REQUIRE(end.stream.start_reading() == 0);
    timer.start(200);
    test.run_until([&] { return due; });
    const uint64_t waited = test.loop.now_ms() - now;
    CHECK(waited >= 200);
    // A machine under load may really stall; but the 200 ms themselves must be there.
    CHECK(test.loop.active_ms() - active >= 200);
    ::close(theirs);
}

TEST_CASE("loop: time in which a callback blocks is not active time") {
    TestLoop test;
    const uint64_t active = test.loop.active_ms();
    const uint64_t now = test.loop.now_ms();
    int calls = 0;
    // The first call may come before the first turn, of which nothing is judged; the second cannot.
    Timer timer(test.loop, [&] {
        if (++calls == 2) {
            be_busy_ms(400);
        }
    });
    timer.start(1, 1);
    test.run_until([&] { return calls >= 3; });
    const uint64_t passed = test.loop.now_ms() - now;
    CHECK(passed >= 400);
    CHECK(passed - (test.loop.active_ms() - active) >= 300);
}

TEST_CASE("signal: arrives as a loop event and may destroy itself") {
    TestLoop test;
    int count = 0;
    std::unique_ptr<Signal> usr1;
    usr1 = std::make_unique<Signal>(test.loop, SIGUSR1, [&] {
        ++count;
        usr1.reset();
    });
    ::raise(SIGUSR1);
    test.run_until([&] { return count == 1; });
    CHECK(usr1 == nullptr);
}

}  // namespace
}  // namespace ringmaster::io
