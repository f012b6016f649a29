#include <gtest/gtest.h>

#include <thread>

#include "controller/base/loop_executor.hpp"
#include "controller/base/virtual_time.hpp"

namespace zellige {
namespace {

Task<int> twice(Executor& executor, int n) {
  co_await sleepFor(executor, 10s);
  co_return 2 * n;
}

Task<void> addTwice(Executor& executor, int n, std::vector<int>& out) {
  out.push_back(co_await twice(executor, n));
}

void runAll(VirtualTime& time) {
  while (time.runOne()) {
  }
}

TEST(VirtualTime, RunsTasksInOrderOfTheirDueTime) {
  VirtualTime time;
  VirtualExecutor executor(time);
  const auto start = time.now();
  std::vector<int> out;
  executor.spawn(addTwice(executor, 1, out));
  executor.spawn(addTwice(executor, 2, out));
  executor.at(start + 5s, [&] { out.push_back(0); });
  runAll(time);
  EXPECT_EQ(out, (std::vector{0, 2, 4}));
  EXPECT_EQ(time.now() - start, 10s);
  EXPECT_EQ(executor.spawnedCount(), 0u);
}

TEST(VirtualTime, ADestroyedExecutorTakesItsTasksWithItAndLeavesOthersAlone) {
  VirtualTime time;
  VirtualExecutor world(time);
  std::vector<int> out;
  {
    VirtualExecutor controller(time);
    controller.spawn(addTwice(controller, 1, out));
    controller.after(1s, [&] { out.push_back(-1); });
    time.runOne();
  }
  world.spawn(addTwice(world, 2, out));
  runAll(time);
  EXPECT_EQ(out, (std::vector{4}));
}

TEST(VirtualTime, CancelledTimersDoNotRun) {
  VirtualTime time;
  VirtualExecutor executor(time);
  bool ran = false;
  executor.cancel(executor.after(1s, [&] { ran = true; }));
  runAll(time);
  EXPECT_FALSE(ran);
}

Task<void> takeInto(Completion<int> completion, int& out) { out = co_await completion; }

TEST(Completion, HandsItsValueToTheWaiterWhicheverCameFirst) {
  VirtualTime time;
  VirtualExecutor executor(time);
  int early = 0, late = 0;
  Completion<int> a(executor), b(executor);
  a.set(1);
  runAll(time);
  executor.spawn(takeInto(a, early));
  executor.spawn(takeInto(b, late));
  executor.after(1s, [&] { b.set(2); });
  runAll(time);
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 2);
}

TEST(Completion, DropsAValueThatNobodyWaitsForAnyMore) {
  VirtualTime time;
  VirtualExecutor world(time);
  int out = 0;
  auto controller = std::make_unique<VirtualExecutor>(time);
  Completion<int> completion(*controller);
  controller->spawn(takeInto(completion, out));
  runAll(time);
  world.after(1s, [&] { controller.reset(); });
  world.after(2s, [&] { completion.set(7); });
  runAll(time);
  EXPECT_EQ(out, 0);
}

Task<void> fail() {
  throw std::runtime_error("broken program");
  co_return;
}

TEST(Executor, ABrokenProgramLeavesThroughTheRunLoop) {
  VirtualTime time;
  VirtualExecutor executor(time);
  executor.spawn(fail());
  EXPECT_THROW(runAll(time), std::runtime_error);
}

Task<void> sleepThenStop(LoopExecutor& loop, int& out) {
  co_await sleepFor(loop, 600s);
  out = 1;
  loop.stop();
}

TEST(LoopExecutor, SpeedsUpTimeAndTakesWorkFromOtherThreads) {
  const auto origin = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  LoopExecutor loop(ScaledClock(origin, 6000.0));
  int slept = 0, posted = 0;
  loop.spawn(sleepThenStop(loop, slept));
  std::thread other([&] { loop.post([&] { posted = 1; }); });
  loop.run();
  other.join();
  EXPECT_EQ(slept, 1);
  EXPECT_EQ(posted, 1);
}

}  // namespace
}  // namespace zellige
