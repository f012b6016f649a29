// How a workflow is told to whoever owns the machine.
#include "controller/commands/workflow_document.hpp"

#include <gmock/gmock.h>

namespace zellige::commands {
namespace {

using testing::HasSubstr;

Task<Result<Seen>> look(StepContext&) { co_return Seen::Done; }
Task<Result<void>> act(StepContext&) { co_return Result<void>{}; }

constexpr Step kSteps[] = {
    {.id = "toy.look",
     .title = "Look",
     .about = "Looks only.",
     .look = look,
     .deadline = 48h,
     .reaches = Lifecycle::Qualifying},
    {.id = "toy.wipe",
     .title = "Wipe",
     .about = "Wipes it.",
     .look = look,
     .act = act,
     .effect = Effect::Ledger,
     .settle = 90s,
     .maxTries = 1,
     .needs = {.duringAct = Budget::Upload, .duringStep = Budget::Flash},
     .spent = "act.rejected"},
    {.id = "toy.check", .title = "Check", .about = "Checks.", .look = look, .again = "toy.wipe"},
};
constexpr Lifecycle kStarts[] = {Lifecycle::Available};
constexpr std::string_view kParameters[] = {"once", "twice"};
constexpr Workflow kToy{.name = "toy",
                        .about = "For play.",
                        .steps = kSteps,
                        .kind = NodeKind::SwitchTray,
                        .startsIn = kStarts,
                        .parameters = kParameters,
                        .shows = "played"};
constexpr const Workflow* kBoth[] = {&kToy, &kToy};

TEST(WorkflowDocument, TellsWhoItIsForAndEveryFigureOfItsSteps) {
  const auto text = workflowDocument(std::span(kBoth).first(1));
  EXPECT_THAT(text, HasSubstr("\n## `toy`\n\nFor play.\n\n- For: `switch_tray` alone.\n- Starts where the "
                              "node is: `available`.\n"));
  EXPECT_THAT(
      text,
      HasSubstr("- Leaves evidence of `played` on each node.\n- Is asked for one of: `once`, `twice`.\n"));
  EXPECT_THAT(text, HasSubstr("| 1 | [`toy.look`](#toylook) Look | no |  |  |  | 15 s | 2 d |  |\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "| 2 | [`toy.wipe`](#toywipe) Wipe | ledger | asks | 90 s | 1 | 15 s | 30 min | upload while it "
          "acts, flash until it is done |\n"));
  EXPECT_THAT(text, HasSubstr("| 3 | [`toy.check`](#toycheck) Check | no |  |  | 3 | 15 s | 30 min |  |\n"));
}

TEST(WorkflowDocument, TellsWhatAStepDoesAndHowItEnds) {
  const auto text = workflowDocument(std::span(kBoth).first(1));
  EXPECT_THAT(text,
              HasSubstr("\n### `toy.look`\n\n**Look.** Looks only.\n\nDone, the node is `qualifying`. "));
  EXPECT_THAT(text, HasSubstr("\n### `toy.wipe`\n\n**Wipe.** Wipes it.\n"));
  EXPECT_THAT(text, HasSubstr("Todo, the run goes back to `toy.wipe`. "));
  EXPECT_THAT(text, HasSubstr("Tries used up: finding `act.rejected`"));
}

TEST(WorkflowDocument, DescribesAStepOnceWhereverItStands) {
  const auto text = workflowDocument(kBoth);
  const auto first = text.find("### `toy.wipe`");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("### `toy.wipe`", first + 1), std::string::npos);
}

}  // namespace
}  // namespace zellige::commands
