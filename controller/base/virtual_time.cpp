#include "controller/base/virtual_time.hpp"

#include <algorithm>

namespace zellige {

std::uint64_t VirtualTime::schedule(Time due, Callback work, std::shared_ptr<VirtualExecutor*> owner) {
  const auto order = nextOrder_++;
  heap_.push_back(Entry{std::max(due, now_), order, std::move(work), std::move(owner)});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
  return order;
}

// Removes entries from the top that were cancelled or whose executor is gone. False: nothing is left.
bool VirtualTime::dropDead() {
  while (!heap_.empty()) {
    const auto& top = heap_.front();
    const bool cancelled = !cancelled_.empty() && cancelled_.erase(top.order) > 0;
    if (!cancelled && *top.owner) return true;
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    heap_.pop_back();
  }
  cancelled_.clear();
  return false;
}

std::optional<Time> VirtualTime::nextDue() {
  if (!dropDead()) return std::nullopt;
  return heap_.front().due;
}

const VirtualExecutor* VirtualTime::nextOwner() { return dropDead() ? *heap_.front().owner : nullptr; }

bool VirtualTime::runOne() {
  if (!dropDead()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later{});
  auto entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.due;
  entry.work();
  if (auto* owner = *entry.owner) owner->rethrowIfBroken();
  return true;
}

VirtualExecutor::~VirtualExecutor() {
  abandonTasks();
  *self_ = nullptr;
}

void VirtualExecutor::post(Callback work) { at(time_.now(), std::move(work)); }

TimerId VirtualExecutor::at(Time due, Callback work) {
  return TimerId{time_.schedule(due, std::move(work), self_)};
}

void VirtualExecutor::cancel(TimerId id) {
  if (id != TimerId::None) time_.cancelled_.insert(static_cast<std::uint64_t>(id));
}

}  // namespace zellige
