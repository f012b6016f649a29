#include "tests/web/api/fixture.hpp"

namespace zellige::test {

namespace {

int looks = 0;

Task<Result<Seen>> lookDone(StepContext&) { co_return Seen::Done; }

Task<Result<Seen>> lookParameter(StepContext& context) {
  ++looks;
  const auto& wanted = context.run().parameter;
  if (wanted == "fail") co_return failure("burnin.failed", "gemm_tflops 12, at least 700 wanted");
  if (wanted != "wait") co_return Seen::Done;
  context.waitFor("a person to be content");
  co_return Seen::Busy;
}

constexpr Step kQualify[] = {
    {.id = "toy.find", .title = "Find the machine", .look = lookDone, .reaches = Lifecycle::Discovered},
    {.id = "toy.begin", .title = "Begin", .look = lookDone, .reaches = Lifecycle::Qualifying},
    {.id = "toy.work", .title = "Work", .look = lookParameter},
    {.id = "toy.end", .title = "End", .look = lookDone},
};
constexpr Step kToy[] = {
    {.id = "toy.work", .title = "Work", .look = lookParameter},
    {.id = "toy.end", .title = "End", .look = lookDone},
};
constexpr NodeKind kTrays[] = {NodeKind::ComputeTray};
constexpr Workflow kQualifyFlow{
    .name = "qualify", .steps = kQualify, .kind = NodeKind::ComputeTray, .qualifies = true};
constexpr Workflow kDomainFlow{.name = "domain", .steps = kToy, .together = kTrays, .shows = "domain"};
constexpr Workflow kToyFlow{.name = "toy", .steps = kToy, .shows = "toy"};

}  // namespace

int toyLooks() { return looks; }
std::vector<const Workflow*> toyWorkflows() { return {&kQualifyFlow, &kToyFlow, &kDomainFlow}; }

}  // namespace zellige::test
