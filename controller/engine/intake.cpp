#include "controller/engine/intake.hpp"

#include "controller/base/log.hpp"

namespace zellige {

Task<int> Intake::sweep() {
  int started = 0;
  for (const auto lifecycle : {Lifecycle::Planned, Lifecycle::Discovered}) {
    for (const auto id : store_.nodesIn(lifecycle)) {
      const auto node = store_.node(id);
      if (!node || node->profile.empty() || store_.unfinishedRunOf(id)) continue;
      StartRun request;
      request.workflow = workflow_;
      request.subject = {id};
      request.profile = node->profile;
      const auto run = co_await engine_.start(std::move(request));
      if (run)
        ++started;
      else if (run.error().code != Errc::Conflict)
        log::warn("INTAKE_REFUSED", {{"serial", node->serial}, {"why", run.error().what}});
    }
  }
  co_return started;
}

}  // namespace zellige
