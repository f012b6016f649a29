#include "controller/engine/store.hpp"

#include <iterator>

namespace zellige {

ReportHead headOf(const AgentReport& report, Time received) {
  return {received,           report.bootId,       report.sequence,       report.home,
          report.image.state, report.image.digest, report.burnIn.orderId, report.burnIn.finished};
}

std::vector<Run> Store::unfinishedRuns() {
  constexpr std::size_t kPage = 1'000;
  std::vector<Run> out;
  for (const auto lane : {Lane::Operator, Lane::Rollout, Lane::Background}) {
    std::vector<Run> page;
    RunId after;
    do {
      page = unfinishedRunsOf(lane, after, kPage);
      if (!page.empty()) after = page.back().id;
      out.insert(out.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
    } while (page.size() == kPage);
  }
  return out;
}

}  // namespace zellige
