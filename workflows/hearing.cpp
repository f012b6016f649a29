#include "workflows/hearing.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace zellige::workflows {

namespace {

// As it lies in the fact, in this order. Times are of the run in its step (StepContext::spent).
struct Kept {
  std::string order;
  std::int64_t since = 0;        // ordered
  std::int64_t excused = 0;      // what had not counted when it was last heard
  std::int64_t cut = 0;          // Hearing::cut
  std::int64_t silentFrom = -1;  // -1: it is heard
  std::string boot;              // the last one, for it may hold anything
};

Kept read(const std::string& fact) {
  Kept out;
  std::istringstream in(fact);
  in >> out.order >> out.since >> out.excused >> out.cut >> out.silentFrom;
  if (in.get() == ' ') std::getline(in, out.boot);
  return out;
}

std::string write(const Kept& k) {
  return fmt::format("{} {} {} {} {} {}", k.order, k.since, k.excused, k.cut, k.silentFrom, k.boot);
}

}  // namespace

Hearing hear(StepContext& context, const Node& node, const std::optional<ReportHead>& head,
             const std::string& order) {
  const auto fact = "heard " + node.serial;
  const auto boot = head ? head->bootId : std::string{};
  const auto begun = context.run().stepSince;
  const auto spent = context.spent().count();
  const auto excused = (context.now() - begun).count() - spent;
  auto kept = read(context.fact(fact));
  if (kept.order != order) kept = {order, spent, excused, 0, -1, boot};

  const bool justNow = head && context.now() - head->received < kCutOff;
  if (justNow) kept.excused = excused;
  const auto said = head ? (head->received - begun).count() - kept.excused : kept.since;
  const auto heard = std::min(std::max(said, kept.since), spent);
  const Duration silence{spent - heard};
  if (silence >= kCutOff) {
    if (kept.silentFrom < 0) kept.silentFrom = heard;
  } else {
    if (kept.silentFrom >= 0 && kept.boot == boot) kept.cut += spent - kept.silentFrom;
    kept.silentFrom = -1;
    kept.boot = boot;
  }
  context.setFact(fact, write(kept));
  return {silence, Duration{kept.cut}};
}

}  // namespace zellige::workflows
