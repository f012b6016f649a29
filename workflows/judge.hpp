// Burn-in numbers against the plan's limits.
#pragma once

#include <string>
#include <vector>

#include "controller/model/catalog.hpp"
#include "controller/protocol/agent.hpp"

namespace zellige::workflows {

struct Verdict {
  bool passed = false;
  std::string why;  ///< when not passed: which test, which number, which limit
};

/// A required test that is missing, skipped or void does not pass; nor does a limit on a value that was not reported.
Verdict judge(const Plan::Test& test, const std::vector<TestResult>& results);

}  // namespace zellige::workflows
