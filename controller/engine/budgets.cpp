#include "controller/engine/budgets.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige {

int Budgets::limit(const Scope& scope) const {
  const bool site = scope.second.empty();
  switch (scope.first) {
    case Budget::Upload: return limits_.uploads;
    case Budget::Flash: return site ? limits_.flashes : limits_.flashesPerRack;
    case Budget::ImageStream: return limits_.imageStreams;
  }
  return 0;
}

std::vector<Budgets::Scope> Budgets::scopes(Budget budget, const std::string& rack) {
  if (budget == Budget::Flash) return {{budget, ""}, {budget, rack}};
  return {{budget, ""}};
}

bool Budgets::fits(const std::vector<Budget>& needs, const std::string& rack) const {
  for (const auto budget : needs)
    for (const auto& scope : scopes(budget, rack)) {
      const auto it = used_.find(scope);
      if ((it == used_.end() ? 0 : it->second) >= limit(scope)) return false;
    }
  return true;
}

void Budgets::hold(RunId run, const std::vector<Budget>& needs, const std::string& rack) {
  auto& held = held_[run];
  for (const auto budget : needs) {
    for (const auto& scope : scopes(budget, rack)) ++used_[scope];
    held.emplace_back(budget, rack);
  }
}

bool Budgets::take(RunId run, Lane lane, Time since, const std::vector<Budget>& needs, const Place& place) {
  std::vector<Budget> missing;
  for (const auto budget : needs)
    if (!holds(run, budget)) missing.push_back(budget);
  if (missing.empty()) return true;
  const auto rack = place.rack();
  if (waiters_.contains(run)) return false;
  if (fits(missing, rack)) {
    hold(run, missing, rack);
    return true;
  }
  ++waitingFor_[missing];
  const auto& waiter = waiters_.emplace(run, Waiter{lane, since, run, std::move(missing), rack}).first->second;
  waiting_.insert(&waiter);
  waitingIn_[rack].insert(&waiter);
  return false;
}

void Budgets::retake(RunId run, const std::vector<Budget>& needs, const Place& place) {
  hold(run, needs, place.rack());
}

bool Budgets::holds(RunId run, Budget budget) const {
  const auto it = held_.find(run);
  return it != held_.end() &&
         std::any_of(it->second.begin(), it->second.end(), [&](const auto& h) { return h.first == budget; });
}

void Budgets::release(RunId run, Budget budget) {
  const auto it = held_.find(run);
  if (it == held_.end()) return;
  auto& held = it->second;
  const auto one = std::find_if(held.begin(), held.end(), [&](const auto& h) { return h.first == budget; });
  if (one == held.end()) return;
  const Held back{*one};
  held.erase(one);
  if (held.empty()) held_.erase(it);
  giveBack(back);
}

void Budgets::releaseAll(RunId run) {
  withdraw(run);
  if (auto held = held_.extract(run)) giveBack(held.mapped());
}

void Budgets::withdraw(RunId run) {
  if (const auto it = waiters_.find(run); it != waiters_.end()) forget(it->second);
}

void Budgets::forget(const Waiter& waiter) {
  waiting_.erase(&waiter);
  if (const auto rack = waitingIn_.find(waiter.rack); rack != waitingIn_.end()) {
    rack->second.erase(&waiter);
    if (rack->second.empty()) waitingIn_.erase(rack);
  }
  if (const auto kind = waitingFor_.find(waiter.needs); --kind->second == 0) waitingFor_.erase(kind);
  waiters_.erase(RunId{waiter.run});
}

// With 100,000 runs waiting, only those that this can have helped are asked: all if the site was full, else the rack's.
void Budgets::giveBack(const Held& held) {
  bool siteWasFull = false;
  for (const auto& [budget, rack] : held)
    for (const auto& scope : scopes(budget, rack)) {
      siteWasFull = siteWasFull || (scope.second.empty() && used_[scope] >= limit(scope));
      --used_[scope];
    }
  if (siteWasFull) return grant(waiting_);
  for (const auto& [budget, rack] : held)
    if (const auto it = waitingIn_.find(rack); it != waitingIn_.end()) grant(it->second);
}

bool Budgets::siteIsFull() const {
  return std::none_of(waitingFor_.begin(), waitingFor_.end(), [&](const auto& kind) {
    return std::all_of(kind.first.begin(), kind.first.end(), [&](Budget budget) {
      const auto it = used_.find({budget, ""});
      return it == used_.end() || it->second < limit(it->first);
    });
  });
}

void Budgets::grant(const Queue& candidates) {
  for (auto it = candidates.begin(); it != candidates.end() && !siteIsFull();) {
    const auto& waiter = **it++;
    if (!fits(waiter.needs, waiter.rack)) continue;
    const bool last = it == candidates.end();
    hold(waiter.run, waiter.needs, waiter.rack);
    granted_.push_back(waiter.run);
    forget(waiter);  // may end `candidates` itself, when it was the last of its rack
    if (last) return;
  }
}

std::vector<RunId> Budgets::granted() { return std::exchange(granted_, {}); }

std::string Budgets::shortage(const std::vector<Budget>& needs, const Place& place) const {
  for (const auto budget : needs)
    for (const auto& scope : scopes(budget, place.rack())) {
      const auto it = used_.find(scope);
      const int used = it == used_.end() ? 0 : it->second;
      if (used >= limit(scope))
        return fmt::format("{}: {} of {} in {}", nameOf(budget), used, limit(scope),
                           scope.second.empty() ? "the site" : scope.second);
    }
  return {};
}

std::vector<Budgets::Use> Budgets::use() const {
  std::vector<Use> out;
  for (const auto& [scope, used] : used_) {
    if (used == 0) continue;
    Use row{scope.first, scope.second, used, limit(scope), 0};
    for (const auto& [_, w] : waiters_)
      if (std::find(w.needs.begin(), w.needs.end(), scope.first) != w.needs.end() &&
          (scope.second.empty() || scope.second == w.rack))
        ++row.waiting;
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace zellige
