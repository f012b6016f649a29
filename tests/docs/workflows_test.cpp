// docs/workflows.md is what the program says of itself.
#include <fstream>
#include <gmock/gmock.h>
#include <map>
#include <sstream>

#include "controller/commands/workflow_document.hpp"
#include "controller/model/finding.hpp"
#include "workflows/steps.hpp"

namespace zellige::documents {
namespace {

TEST(WorkflowsDocument, IsWhatTheProgramPrints) {
  std::ostringstream text;
  text << std::ifstream(ZELLIGE_SOURCE_DIR "/docs/workflows.md").rdbuf();
  EXPECT_TRUE(text.str() == commands::workflowDocument(workflows::all()))
      << "docs/workflows.md is not what the program does now; read what has changed, then renew it with\n"
         "  build/release/bin/zellige docs workflows > docs/workflows.md";
}

TEST(WorkflowsDocument, HasWordsForEveryWorkflowAndStep) {
  for (const auto* flow : workflows::all()) {
    EXPECT_TRUE(flow->about.ends_with('.')) << flow->name << " does not say what it is for (Workflow::about)";
    for (const auto& step : flow->steps)
      EXPECT_TRUE(step.about.ends_with('.')) << step.id << " does not say what it does (Step::about)";
  }
}

TEST(WorkflowsDocument, NamesFindingsThatThereAre) {
  for (const auto* flow : workflows::all())
    for (const auto& step : flow->steps) {
      EXPECT_NE(findCause(step.overdue), nullptr) << step.id;
      EXPECT_NE(findCause(step.spent), nullptr) << step.id;
    }
}

// A step is described once, so it must be the same step wherever it stands.
TEST(WorkflowsDocument, AStepIsTheSameInEveryWorkflow) {
  std::map<std::string_view, const Step*> first;
  for (const auto* flow : workflows::all())
    for (const auto& step : flow->steps) {
      const auto& known = *first.try_emplace(step.id, &step).first->second;
      EXPECT_EQ(known.about, step.about) << step.id;
      EXPECT_EQ(known.title, step.title) << step.id;
      EXPECT_EQ(known.look, step.look) << step.id;
      EXPECT_EQ(known.act, step.act) << step.id;
      EXPECT_EQ(known.overdue, step.overdue) << step.id;
      EXPECT_EQ(known.spent, step.spent) << step.id;
      EXPECT_EQ(known.again, step.again) << step.id;
      EXPECT_EQ(known.reaches, step.reaches) << step.id;
    }
}

}  // namespace
}  // namespace zellige::documents
