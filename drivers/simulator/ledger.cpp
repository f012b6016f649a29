#include "drivers/simulator/ledger.hpp"

#include <algorithm>

namespace zellige::sim {

std::uint32_t Interner::id(std::string_view text) {
  if (const auto it = ids_.find(text); it != ids_.end()) return it->second;
  const auto id = static_cast<std::uint32_t>(texts_.size());
  texts_.emplace_back(text);
  ids_.emplace(texts_.back(), id);
  return id;
}

void Ledger::add(Time at, int machine, ActKind kind, std::string_view component, std::string_view digest,
                 std::string why) {
  const Row row{at, machine, strings_.id(component), strings_.id(digest), kind};
  if (why.empty() && repeats(row)) ++repeatsAllowed_;
  rows_.push_back(row);
  if (!why.empty()) duplicates_.push_back({expand(row), std::move(why)});
  if (kind == ActKind::Session) return;
  const auto index = static_cast<std::size_t>(machine);
  if (lastAct_.size() <= index) lastAct_.resize(index + 1);
  lastAct_[index] = static_cast<std::uint32_t>(rows_.size());
}

bool Ledger::repeats(const Row& row) const {
  const auto index = static_cast<std::size_t>(row.machine);
  if (row.kind != ActKind::Reset || index >= lastAct_.size() || lastAct_[index] == 0) return false;
  const auto& last = rows_[lastAct_[index] - 1];
  const auto type = strings_.text(row.component);
  const bool restart = type == "ForceRestart" || type == "GracefulRestart" || type == "PowerCycle";
  return restart && last.kind == row.kind && last.component == row.component;
}

void Ledger::countLockedPassword(int machine, int nth) {
  auto& most = lockedPasswords_[machine];
  most = std::max(most, nth);
}

namespace {
int countOf(const std::map<int, int>& counts, int machine) {
  const auto it = counts.find(machine);
  return it == counts.end() ? 0 : it->second;
}
}  // namespace

int Ledger::refusedPasswords(int machine) const { return countOf(refusedPasswords_, machine); }
int Ledger::lockedPasswords(int machine) const { return countOf(lockedPasswords_, machine); }

LedgerEntry Ledger::expand(const Row& row) const {
  return {row.at, row.machine, row.kind, strings_.text(row.component), strings_.text(row.digest)};
}

std::vector<LedgerEntry> Ledger::entries() const {
  std::vector<LedgerEntry> out;
  out.reserve(rows_.size());
  for (const auto& row : rows_) out.push_back(expand(row));
  return out;
}

std::vector<LedgerEntry> Ledger::entriesOf(int machine) const {
  std::vector<LedgerEntry> out;
  for (const auto& row : rows_)
    if (row.machine == machine) out.push_back(expand(row));
  return out;
}

std::size_t Ledger::count(ActKind kind) const {
  return static_cast<std::size_t>(
      std::count_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.kind == kind; }));
}

std::vector<LedgerEntry> Ledger::writesOtherThan(std::initializer_list<ActKind> kinds) const {
  return writesOtherThan(kinds, Time::min());
}

std::vector<LedgerEntry> Ledger::writesOtherThan(std::initializer_list<ActKind> kinds, Time since) const {
  std::vector<LedgerEntry> out;
  for (const auto& row : rows_)
    if (row.at > since && std::find(kinds.begin(), kinds.end(), row.kind) == kinds.end())
      out.push_back(expand(row));
  return out;
}

}  // namespace zellige::sim
