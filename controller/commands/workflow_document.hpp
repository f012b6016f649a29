// docs/workflows.md: what is done to machines, from the tables that the engine runs by.
#pragma once

#include <span>
#include <string>

#include "controller/engine/step.hpp"

namespace zellige::commands {

/// Markdown: every workflow with its steps in order and their figures, then every step once, in words.
std::string workflowDocument(std::span<const Workflow* const> workflows);

}  // namespace zellige::commands
