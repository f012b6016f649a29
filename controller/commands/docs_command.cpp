#include "controller/commands/docs_command.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "controller/commands/workflow_document.hpp"
#include "workflows/steps.hpp"

namespace zellige::commands {

void addDocs(CLI::App& app, std::function<int()>& chosen) {
  auto* docs = app.add_subcommand("docs", "Print documents that the program makes of itself");
  docs->require_subcommand(1);
  docs->add_subcommand("workflows", "docs/workflows.md: what is done to machines, step by step")
      ->callback([&chosen] {
        chosen = [] {
          std::fputs(workflowDocument(workflows::all()).c_str(), stdout);
          return 0;
        };
      });
}

}  // namespace zellige::commands
