#include "controller/engine/budgets.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace zellige {

PowerTerms BudgetLimits::termsAt(const Place& place) const {
  PowerTerms terms;
  for (const auto& limit : power) {
    if (!place.isInside(limit.place)) continue;
    const auto minute = static_cast<double>(Duration{1min}.count());
    const auto ramp = static_cast<double>(limit.watts) / static_cast<double>(limit.wattsPerMinute) * minute;
    terms.ramp = std::max(terms.ramp, Duration{static_cast<std::int64_t>(ramp) + 1});
    terms.lease = kPowerLease;
  }
  return terms;
}

Need needOf(Budget budget, const Target* target, std::int64_t machines) {
  if (budget != Budget::Power) return budget;
  return {budget, target ? target->sku.stressWatts * machines : 0};
}

std::int64_t Budgets::limit(const Scope& scope) const {
  const auto& [budget, place] = scope;
  switch (budget) {
    case Budget::Upload: return limits_.uploads;
    case Budget::Flash: return place.empty() ? limits_.flashes : limits_.flashesPerRack;
    case Budget::ImageStream: return limits_.imageStreams;
    case Budget::Power: break;
  }
  for (const auto& power : limits_.power)
    if (power.place == place) return power.watts;
  return std::numeric_limits<std::int64_t>::max();
}

std::int64_t Budgets::used(const Scope& scope) const {
  const auto it = used_.find(scope);
  return it == used_.end() ? 0 : it->second;
}

std::vector<Budgets::Scope> Budgets::scopes(Budget budget, const Place& place) const {
  if (budget == Budget::Flash) return {{budget, ""}, {budget, place.rack()}};
  if (budget != Budget::Power) return {{budget, ""}};
  std::vector<Scope> out;
  for (const auto& power : limits_.power)
    if (place.isInside(power.place)) out.emplace_back(budget, power.place);
  return out;
}

std::optional<Budgets::Scope> Budgets::tooFull(const Need& need, const std::vector<Scope>& scopes) const {
  for (const auto& scope : scopes)
    if (isTooFullFor(need, scope)) return scope;
  return std::nullopt;
}

bool Budgets::isTooFullFor(const Need& need, const Scope& scope) const {
  return scope.first == need.budget && (need.amount <= 0 || used(scope) > limit(scope) - need.amount);
}

bool Budgets::mustWaitAt(const Waiter& waiter, const Scope& scope) const {
  return !waiter.never && std::any_of(waiter.needs.begin(), waiter.needs.end(),
                                      [&](const Need& need) { return isTooFullFor(need, scope); });
}

// Only where somebody may need more than this one can it fit and they not.
bool Budgets::isBehind(const Waiter& waiter) const {
  return std::any_of(waiter.scopes.begin(), waiter.scopes.end(), [&](const Scope& scope) {
    const auto at = waitingAt_.find(scope);
    const auto largest = largest_.find(scope);
    if (at == waitingAt_.end() || largest == largest_.end()) return false;
    const bool needsMost = std::any_of(waiter.needs.begin(), waiter.needs.end(), [&](const Need& need) {
      return need.budget == scope.first && need.amount >= largest->second;
    });
    return !needsMost && std::any_of(at->second.begin(), at->second.lower_bound(&waiter),
                                     [&](const Waiter* w) { return mustWaitAt(*w, scope); });
  });
}

bool Budgets::fits(const Waiter& waiter) const {
  return std::none_of(waiter.needs.begin(), waiter.needs.end(),
                      [&](const Need& need) { return tooFull(need, waiter.scopes); });
}

void Budgets::hold(RunId run, const std::vector<Need>& needs, const Place& place) {
  for (const auto& need : needs) {
    auto within = scopes(need.budget, place);
    if (within.empty()) continue;  // nobody limits it here
    auto& held = held_[run];
    held.push_back({need, std::move(within)});
    for (const auto& scope : held.back().scopes) {
      used_[scope] += need.amount;
      auto& largest = largest_[scope];
      largest = std::max(largest, need.amount);
    }
  }
}

bool Budgets::take(RunId run, Lane lane, Time since, const std::vector<Need>& needs, const Place& place) {
  Waiter waiter{lane, since, run, {}, {}, place};
  for (const auto& need : needs) {
    if (holds(run, need.budget)) continue;
    waiter.needs.push_back(need);
    for (auto& scope : scopes(need.budget, place)) {
      waiter.never |= need.amount <= 0 || need.amount > limit(scope);
      waiter.scopes.push_back(std::move(scope));
    }
  }
  if (waiter.needs.empty()) return true;
  if (waiters_.contains(run)) return false;
  if (fits(waiter) && !isBehind(waiter)) {
    hold(run, waiter.needs, place);
    return true;
  }
  const auto& kept = waiters_.emplace(run, std::move(waiter)).first->second;
  for (const auto& scope : kept.scopes) {
    waitingAt_[scope].insert(&kept);
    auto& largest = largest_[scope];
    for (const auto& need : kept.needs)
      if (need.budget == scope.first && !kept.never) largest = std::max(largest, need.amount);
  }
  return false;
}

void Budgets::retake(RunId run, const std::vector<Need>& needs, const Place& place) {
  hold(run, needs, place);
}

bool Budgets::holds(RunId run, Budget budget) const {
  const auto it = held_.find(run);
  return it != held_.end() && std::any_of(it->second.begin(), it->second.end(),
                                          [&](const auto& h) { return h.need.budget == budget; });
}

void Budgets::release(RunId run, Budget budget) {
  const auto it = held_.find(run);
  if (it == held_.end()) return;
  auto& held = it->second;
  const auto one = std::find_if(held.begin(), held.end(),
                                [&](const auto& h) { return h.need.budget == budget; });
  if (one == held.end()) return;
  const std::vector<Holding> back{*one};
  held.erase(one);
  if (held.empty()) held_.erase(it);
  giveBack(back);
}

void Budgets::releaseAll(RunId run) {
  withdraw(run);
  if (auto held = held_.extract(run)) giveBack(held.mapped());
}

// Those whom it kept waiting may fit.
void Budgets::withdraw(RunId run) {
  const auto it = waiters_.find(run);
  if (it == waiters_.end()) return;
  std::vector<Scope> waitedAt;
  for (const auto& scope : it->second.scopes)
    if (mustWaitAt(it->second, scope)) waitedAt.push_back(scope);
  forget(it->second);
  for (const auto& scope : waitedAt) grant(scope);
}

void Budgets::forget(const Waiter& waiter) {
  for (const auto& scope : waiter.scopes) {
    const auto at = waitingAt_.find(scope);
    at->second.erase(&waiter);
    if (at->second.empty()) waitingAt_.erase(at);
  }
  waiters_.erase(RunId{waiter.run});
}

// With 100,000 runs waiting, only those that this can have helped are asked: where somebody may not have fitted.
void Budgets::giveBack(const std::vector<Holding>& held) {
  std::vector<Scope> freed;
  for (const auto& holding : held)
    for (const auto& scope : holding.scopes) {
      if (used(scope) > limit(scope) - largest_[scope]) freed.push_back(scope);
      used_[scope] -= holding.need.amount;
    }
  for (const auto& scope : freed) grant(scope);
}

// In their order. Who does not fit here keeps those behind from passing; who is kept waiting elsewhere does not.
void Budgets::grant(const Scope& scope) {
  const auto at = waitingAt_.find(scope);
  if (at == waitingAt_.end()) return;
  for (auto it = at->second.begin(); it != at->second.end();) {
    const auto& waiter = **it++;
    if (mustWaitAt(waiter, scope)) return;
    if (!fits(waiter) || isBehind(waiter)) continue;
    const bool last = it == at->second.end();
    hold(waiter.run, waiter.needs, waiter.place);
    granted_.push_back(waiter.run);
    forget(waiter);  // ends the queue itself, when it was the last
    if (last) return;
  }
}

std::vector<RunId> Budgets::granted() { return std::exchange(granted_, {}); }

std::string Budgets::shortage(const std::vector<Need>& needs, const Place& place) const {
  for (const auto& need : needs) {
    const auto full = tooFull(need, scopes(need.budget, place));
    if (!full) continue;
    const auto where = full->second.empty() ? std::string("the site") : full->second;
    if (need.budget != Budget::Power)
      return fmt::format("{}: {} of {} in {}", nameOf(need.budget), used(*full), limit(*full), where);
    if (need.amount <= 0)
      return fmt::format("power: {} has a limit, and the SKU does not say what stress draws (stress_watts)",
                         where);
    if (need.amount > limit(*full))
      return fmt::format(
          "power: it needs {} W, and {} never has more than {} W: raise the limit, or correct "
          "the SKU's stress_watts",
          need.amount, where, limit(*full));
    return fmt::format("power: it needs {} W; {} of {} W are leased in {}", need.amount, used(*full),
                       limit(*full), where);
  }
  return {};
}

std::vector<Budgets::Use> Budgets::use() const {
  std::vector<Use> out;
  std::set<Scope> scopes;
  for (const auto& [scope, used] : used_)
    if (used != 0) scopes.insert(scope);
  for (const auto& [scope, waiting] : waitingAt_) scopes.insert(scope);
  for (const auto& scope : scopes) {
    const auto waiting = waitingAt_.find(scope);
    out.push_back({scope.first, scope.second, used(scope), limit(scope),
                   waiting == waitingAt_.end() ? 0 : static_cast<int>(waiting->second.size())});
  }
  return out;
}

}  // namespace zellige
