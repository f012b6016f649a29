// The program about itself: version, its own description, figures for Prometheus.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/protocol/version.hpp"
#include "web/api/find.hpp"
#include "web/api/openapi.hpp"

namespace zellige::api {

Task<HttpReply> getVersion(Services&, Call) {
  co_return jsonReply(200, {{"version", kVersion}, {"api", "v1"}});
}

Task<HttpReply> getOpenapi(Services&, Call) {
  HttpReply reply;
  reply.status = 200;
  reply.headers.set("Content-Type", "application/yaml");
  reply.body = openapiText();
  co_return reply;
}

Task<HttpReply> getMetrics(Services& services, Call) {
  std::string text =
      "# HELP zellige_nodes Nodes by lifecycle.\n"
      "# TYPE zellige_nodes gauge\n";
  const auto counts = services.queries.lifecycleCounts();
  for (const auto& [lifecycle, name] : EnumNames<Lifecycle>::table) {
    const auto it = counts.find(lifecycle);
    text += fmt::format("zellige_nodes{{lifecycle=\"{}\"}} {}\n", name, it == counts.end() ? 0 : it->second);
  }
  text += fmt::format(
      "# HELP zellige_runs_unfinished Runs that are active or blocked.\n"
      "# TYPE zellige_runs_unfinished gauge\n"
      "zellige_runs_unfinished {}\n"
      "# HELP zellige_transitions_total Steps finished since this process started.\n"
      "# TYPE zellige_transitions_total counter\n"
      "zellige_transitions_total {}\n"
      "# HELP zellige_events_total Events in the audit trail, those removed by age included.\n"
      "# TYPE zellige_events_total counter\n"
      "zellige_events_total {}\n",
      services.engine.unfinished(), services.engine.transitions(), services.queries.lastEvent());
  text += "# HELP zellige_budget_used Units of a budget in use.\n# TYPE zellige_budget_used gauge\n";
  for (const auto& use : services.engine.budgetUse())
    if (use.scope.empty())
      text += fmt::format("zellige_budget_used{{budget=\"{}\"}} {}\n", nameOf(use.budget), use.used);
  HttpReply reply;
  reply.status = 200;
  reply.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  reply.body = std::move(text);
  co_return reply;
}

}  // namespace zellige::api
