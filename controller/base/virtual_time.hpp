// Virtual time: a heap of due callbacks and a clock that jumps to the next one. Several executors may share one
// VirtualTime (the simulated world and the controller); destroying one drops what it had scheduled and leaves the
// others alone, which is how a simulated crash kills a controller but not the machines it was working on.
#pragma once

#include <memory>
#include <queue>
#include <unordered_set>
#include <vector>

#include "controller/base/executor.hpp"

namespace zellige {

class VirtualExecutor;

class VirtualTime {
 public:
  explicit VirtualTime(Time start = Time{Duration{1'767'225'600'000}} /* 2026-01-01T00:00:00Z */)
      : now_(start) {}

  Time now() const { return now_; }
  /// Runs the next due callback, moving the clock to it. False: nothing is scheduled.
  bool runOne();
  /// When the next callback is due; nullopt: nothing is scheduled.
  std::optional<Time> nextDue();
  /// Whose callback it is; nullptr: nothing is scheduled.
  const VirtualExecutor* nextOwner();

 private:
  friend class VirtualExecutor;
  struct Entry {
    Time due;
    std::uint64_t order;
    Callback work;
    std::shared_ptr<VirtualExecutor*> owner;  ///< of the executor, or of nullptr once it is gone
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };
  std::uint64_t schedule(Time due, Callback work, std::shared_ptr<VirtualExecutor*> owner);
  bool dropDead();

  Time now_;
  std::uint64_t nextOrder_ = 1;
  std::vector<Entry> heap_;
  std::unordered_set<std::uint64_t> cancelled_;
};

class VirtualExecutor final : public Executor {
 public:
  explicit VirtualExecutor(VirtualTime& time)
      : time_(time), self_(std::make_shared<VirtualExecutor*>(this)) {}
  ~VirtualExecutor() override;

  Time now() const override { return time_.now(); }
  void post(Callback work) override;
  TimerId at(Time due, Callback work) override;
  void cancel(TimerId id) override;
  /// Abandons every task; call before what the tasks use is destroyed.
  void shutDown() { abandonTasks(); }

 private:
  friend class VirtualTime;
  VirtualTime& time_;
  std::shared_ptr<VirtualExecutor*> self_;
};

}  // namespace zellige
