// Something wrong, with evidence, a cause code and the next action for a person. Every cause code stands in one table
// (finding.cpp) with its title and what to do; docs/operations.md has an entry for each, which a test checks.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "controller/base/time.hpp"
#include "controller/model/ids.hpp"

namespace zellige {

struct Cause {
  std::string_view code;  ///< stored; never renamed
  std::string_view title;
  std::string_view nextAction;  ///< an imperative sentence for a technician
  bool blocking;  ///< the node is quarantined (or stays where it is, if its lifecycle forbids that)
};

std::span<const Cause> causes();
/// nullptr: not in the table, which is a broken program.
const Cause* findCause(std::string_view code);

struct Finding {
  FindingId id;
  NodeId node;
  RunId run;
  std::string cause;
  std::string detail;  ///< what was seen, for a person
  Time raised{};
  std::optional<Time> resolved;
  std::string resolution;  ///< who or what resolved it, and why
};

}  // namespace zellige
