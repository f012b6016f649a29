#include "drivers/simulator/stress.hpp"

#include <algorithm>

#include "drivers/simulator/agent.hpp"
#include "drivers/simulator/burn_in.hpp"

namespace zellige::sim::stress {

namespace {

void goUp(World& w, Machine& m);
void goDown(World& w, Machine& m);

/// One thing at a time: what was to come before does not.
void next(World& w, Machine& m, Duration d, World::Step step) {
  const auto epoch = m.agent->stress.epoch = ++m.calls;
  w.after(d, [&w, id = m.id, epoch, step] {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (machine.agent && machine.agent->stress.epoch == epoch) step(w, machine);
  });
}

/// From now on it is in this phase, at this level.
void enter(World& w, Machine& m, StressPhase phase, double level) {
  auto& s = m.agent->stress;
  s.phase = phase;
  s.level = level;
  s.since = w.now();
  if (s.terms.lease == Duration{0}) return;  // nobody measures it
  const auto watts = static_cast<double>(s.terms.watts);
  const auto ramp = watts * 60'000.0 / static_cast<double>(std::max<Duration>(s.terms.ramp, 1ms).count());
  const bool moves = phase == StressPhase::Up || phase == StressPhase::Down;
  w.power.set(m.id, placeOf(w.options, m.id), w.now(), level * watts,
              !moves                     ? 0
              : phase == StressPhase::Up ? ramp
                                         : -ramp);
}

double levelNow(const World& w, const Stress& s) {
  if (s.phase != StressPhase::Up && s.phase != StressPhase::Down) return s.level;
  const auto moved = static_cast<double>((w.now() - s.since).count()) /
                     static_cast<double>(std::max<Duration>(s.terms.ramp, 1ms).count());
  return std::clamp(s.phase == StressPhase::Up ? s.level + moved : s.level - moved, 0.0, 1.0);
}

Duration rampOver(const Stress& s, double part) {
  if (s.terms.lease == Duration{0}) return Duration{0};
  return Duration{static_cast<std::int64_t>(static_cast<double>(s.terms.ramp.count()) * part)};
}

/// All that take part have begun with it.
bool allTakePart(const World& w, const Machine& m) {
  constexpr Duration kSkew = 2min;  // est: what a collective waits for the last one
  const auto& s = m.agent->stress;
  const int first = rackOf(w.options, m.id) * w.options.traysPerRack;
  const int end = std::min(w.options.trays, first + w.options.traysPerRack);
  std::size_t there = 0;
  for (int id = first; id < end; ++id) {
    const auto& other = w.machines[static_cast<std::size_t>(id)];
    if (!other.agent) continue;
    const auto& o = other.agent->stress;
    const auto apart = o.begun < s.begun ? s.begun - o.begun : o.begun - s.begun;
    there += o.order == s.order && o.together.begin && apart <= kSkew;
  }
  return there == s.together.members.size();
}

void testDone(World& w, Machine& m) {
  auto& s = m.agent->stress;
  if (!s.together.members.empty() && !allTakePart(w, m)) s.wasLeft = true;
  ++s.done;
  s.since = w.now();
  if (s.done < s.tests.size()) {
    s.left = s.tests[s.done].duration;
    next(w, m, s.left, testDone);
  } else {
    goDown(w, m);
  }
  agent::changed(w, m);
}

void full(World& w, Machine& m) {
  enter(w, m, StressPhase::Full, 1);
  next(w, m, m.agent->stress.left, testDone);
}

void idle(World& w, Machine& m) {
  enter(w, m, StressPhase::Idle, 0);
  if (!m.agent->stress.finished()) return;  // its lease is over: the order's return renews it
  w.end(m, Work::BurnIn);
  agent::changed(w, m);
}

void goUp(World& w, Machine& m) {
  auto& s = m.agent->stress;
  const auto level = levelNow(w, s);
  enter(w, m, StressPhase::Up, level);
  const auto takes = rampOver(s, 1 - level);
  takes == Duration{0} ? full(w, m) : next(w, m, takes, full);
}

void goDown(World& w, Machine& m) {
  auto& s = m.agent->stress;
  const auto level = levelNow(w, s);
  enter(w, m, StressPhase::Down, level);
  const auto takes = rampOver(s, level);
  takes == Duration{0} ? idle(w, m) : next(w, m, takes, idle);
}

void watchLease(World& w, Machine& m) {
  auto& s = m.agent->stress;
  if (s.watched || s.terms.lease == Duration{0}) return;
  s.watched = true;
  w.after(s.leaseEnd - w.now(), [&w, id = m.id, generation = m.agent->generation] {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (!machine.agent || machine.agent->generation != generation) return;
    auto& of = machine.agent->stress;
    of.watched = false;
    if (w.now() < of.leaseEnd) return watchLease(w, machine);
    if (of.phase == StressPhase::Full) of.left -= w.now() - of.since;
    if (of.phase == StressPhase::Full || of.phase == StressPhase::Up) goDown(w, machine);
  });
}

void begin(World& w, Machine& m) {
  auto& s = m.agent->stress;
  std::string tests;
  for (const auto& test : s.tests) tests += (tests.empty() ? "" : "+") + test.id;
  w.record(m, ActKind::BurnIn, tests);
  w.begin(m, Work::BurnIn);
  s.begun = w.now();
  m.agent->changed = true;
}

void takeUp(World& w, Machine& m, const AgentOrder& order) {
  auto& s = m.agent->stress;
  s.order = order.id;
  s.tests = order.tests;
  s.together = {order.together.members, false};
  s.begun = {};
  s.wasLeft = false;
  s.done = 0;
  s.left = s.tests.empty() ? Duration{0} : s.tests.front().duration;
  m.agent->changed = true;
  if (order.together.members.empty()) {
    begin(w, m);
    if (s.phase == StressPhase::Full) full(w, m);  // an older one's tests are over
  } else {                                         // it is ready, and waits for the others
    w.end(m, Work::BurnIn);
    if (s.phase == StressPhase::Full || s.phase == StressPhase::Up) goDown(w, m);
  }
}

}  // namespace

void obey(World& w, Machine& m, const AgentOrder& order) {
  auto& s = m.agent->stress;
  s.terms = order.stress;
  s.leaseEnd = w.now() + s.terms.lease;
  watchLease(w, m);
  if (s.order != order.id) takeUp(w, m, order);
  if (!order.mayBegin()) return;
  if (order.together.begin && !s.together.begin) {
    s.together.begin = true;
    begin(w, m);
  }
  const bool waits = s.phase == StressPhase::Idle || s.phase == StressPhase::Down;
  if (waits && s.done < s.tests.size()) goUp(w, m);
}

AgentBurnIn soFar(World& w, const Machine& m) {
  const auto& s = m.agent->stress;
  AgentBurnIn out{s.order, s.begun != Time{}, s.finished(), {}};
  for (std::size_t i = 0; i < s.done; ++i) {
    out.results.push_back(runTest(w, m, s.tests[i].id));
    if (s.wasLeft) out.results.back() = {s.tests[i].id, TestOutcome::Void, {}, "another member had left"};
  }
  return out;
}

}  // namespace zellige::sim::stress
