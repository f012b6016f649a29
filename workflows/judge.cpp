#include "workflows/judge.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zellige::workflows {

Verdict judge(const Plan::Test& test, const std::vector<TestResult>& results) {
  const auto it = std::find_if(results.begin(), results.end(),
                               [&](const auto& r) { return r.test == test.id; });
  if (it == results.end()) return {false, fmt::format("{}: no result", test.id)};
  const auto& result = *it;
  switch (result.outcome) {
    case TestOutcome::Fail:
      return {false, fmt::format("{}: {}", test.id, result.detail.empty() ? "failed" : result.detail)};
    case TestOutcome::Void:
    case TestOutcome::Skipped:
      if (!test.required) return {true, {}};
      return {false, fmt::format("{}: {}, but the plan requires it ({})", test.id, nameOf(result.outcome),
                                 result.detail)};
    case TestOutcome::Pass: break;
  }
  for (const auto& [name, limit] : test.limits) {
    const auto value = result.values.find(name);
    if (value == result.values.end() || !std::isfinite(value->second))
      return {false, fmt::format("{}: {} was not reported", test.id, name)};
    if (limit.min && value->second < *limit.min)
      return {false, fmt::format("{}: {} is {:g}, at least {:g} is wanted", test.id, name, value->second,
                                 *limit.min)};
    if (limit.max && value->second > *limit.max)
      return {false, fmt::format("{}: {} is {:g}, at most {:g} is allowed", test.id, name, value->second,
                                 *limit.max)};
  }
  return {true, {}};
}

}  // namespace zellige::workflows
