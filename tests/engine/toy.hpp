// Toy machines and toy steps: what the engine does, without Redfish and SQL. A toy step asks its machine's script, so a
// test says in a line what a look sees and what an act does; every look and act is an exchange that takes time.
#pragma once

#include <fmt/format.h>

#include "tests/engine/site.hpp"

namespace zellige::test {

class ToyMachine final : public NoBmc {
 public:
  explicit ToyMachine(Site& site) : site_(site) {}

  std::map<std::string, std::function<Result<Seen>(StepContext&)>, std::less<>> onLook;  // by step id
  std::map<std::string, std::function<Result<void>(StepContext&)>, std::less<>> onAct;
  std::vector<std::pair<std::string, Time>> looks, acts;  // "step/item" and when it was delivered
  std::vector<std::string> eventBeforeAct;  // the last event that was durable when an act was delivered
  std::optional<Error> broken;              // what every exchange fails with while it is set
  Duration exchange = 100ms;
  bool identifies = false;  ///< the anonymous question is answered whatever is broken

  int actsOf(std::string_view step) const {
    int n = 0;
    for (const auto& [what, at] : acts) n += what.starts_with(step);
    return n;
  }
  Time lastLook() const { return looks.back().second; }

  Task<Result<BmcIdentity>> identify() override {
    co_await sleepFor(site_.life->executor, exchange);
    if (!identifies) co_return Error{Errc::Timeout, "no reply"};
    co_return BmcIdentity{};
  }
  Task<Result<Seen>> look(StepContext& context) {
    co_await sleepFor(site_.life->executor, exchange);
    looks.emplace_back(context.run().step, site_.time.now());
    if (broken) co_return *broken;
    co_return onLook.at(context.run().step)(context);
  }
  Task<Result<void>> act(StepContext& context) {
    co_await site_.points.pass("act.before");
    co_await sleepFor(site_.life->executor, exchange);
    if (broken) co_return *broken;
    eventBeforeAct.push_back(site_.tables.events.back());
    acts.emplace_back(fmt::format("{}/{}", context.run().step, context.item()), site_.time.now());
    auto done = onAct.at(context.run().step)(context);
    co_await site_.points.pass("act.after");
    co_return done;
  }

 private:
  Site& site_;
};

inline ToyMachine& toyOf(StepContext& context) { return static_cast<ToyMachine&>(context.bmc()); }
inline Task<Result<Seen>> toyLook(StepContext& context) { co_return co_await toyOf(context).look(context); }
inline Task<Result<void>> toyAct(StepContext& context) { co_return co_await toyOf(context).act(context); }

/// A device that needs `runs` for an act, shows nothing of it for `lag`, and counts what it was told twice.
class Device {
 public:
  explicit Device(const Clock& clock) : clock_(clock) {}
  Duration lag = 10s, runs = 2min;
  int duplicates = 0;
  void deliver(const std::string& what) {
    if (done_.contains(what)) ++duplicates;
    done_[what] = clock_.now();
  }
  int delivered() const { return static_cast<int>(done_.size()) + duplicates; }
  Seen seen(const std::string& what) const {
    const auto it = done_.find(what);
    if (it == done_.end() || clock_.now() < it->second + lag) return Seen::Todo;
    return clock_.now() < it->second + lag + runs ? Seen::Busy : Seen::Done;
  }
  bool tookEffect(const std::string& what) const { return done_.contains(what); }

 private:
  const Clock& clock_;
  std::map<std::string, Time> done_;
};

inline Error unreachable() { return Error{Errc::Unreachable, "no route to BMC"}; }

/// One workflow of toy steps, one or more machines; `looks` and `acts` fill in their scripts.
struct ToySite {
  explicit ToySite(std::vector<Step> toySteps, int machines = 1)
      : steps(std::move(toySteps)), flow{.name = "toy", .steps = steps}, site({&flow}) {
    for (int i = 0; i < machines; ++i) nodes.push_back(site.add(std::make_unique<ToyMachine>(site)));
  }
  ToyMachine& toy(std::size_t i = 0) { return static_cast<ToyMachine&>(*site.machines.at(nodes[i])); }
  RunId boot() {
    site.boot();
    return site.start("toy", {nodes[0]});
  }
  const Run& run(RunId id) const { return site.tables.run(id); }
  Time now() const { return site.time.now(); }

  std::vector<Step> steps;
  Workflow flow;
  Site site;
  std::vector<NodeId> nodes;
};

/// So that the branches of a look that is a lambda agree on its type.
inline Result<Seen> seen(Seen s) { return s; }

/// Sent, and no believable answer came back.
inline Error unknownOutcome(Errc code) {
  Error e{code, "lost"};
  e.outcomeUnknown = true;
  return e;
}

inline Step toyStep(std::string_view id, bool acts = true) {
  return {.id = id, .title = id, .look = toyLook, .act = acts ? toyAct : nullptr};
}

}  // namespace zellige::test
