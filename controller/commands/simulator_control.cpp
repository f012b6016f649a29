#include "controller/commands/simulator_control.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"

namespace zellige::commands {

namespace {

HttpReply said(int status, const Json& json) {
  HttpReply reply{status, {}, json.dump()};
  reply.headers.set("Content-Type", "application/json");
  return reply;
}

HttpReply refused(int status, std::string why) { return said(status, {{"detail", std::move(why)}}); }

// Hands in how the controller says every node ended, gets it judged by ground truth.
HttpReply judge(const Json& body, const sim::Fleet& fleet, const WantedOf& wanted) {
  std::vector<NodeOutcome> nodes;
  for (const auto& row : readArray(body, "nodes")) {
    NodeOutcome node{
        readString(row, "serial").value_or(""),
        fromName<Lifecycle>(readString(row, "lifecycle").value_or("")).value_or(Lifecycle::Planned),
        {},
        readString(row, "why").value_or("")};
    for (const auto& cause : readArray(row, "causes"))
      if (cause.is_string()) node.causes.push_back(cause.get<std::string>());
    nodes.push_back(std::move(node));
  }
  const BudgetLimits limits;  // a rehearsal's (planeOptions)
  const auto end = judgeFleet(fleet, nodes, wanted, limits);
  Json out = Json::object();
  addTo(out, end);
  out["good"] = end.good();
  return said(200, out);
}

// {"place": "H1/R01/RK001/U13"}: the machine; {"place": …, "gpu": 2}: one of its GPUs.
HttpReply swap(const Json& body, sim::Fleet& fleet) {
  const auto place = readString(body, "place").value_or("");
  const auto machines = fleet.machines();
  const auto machine = std::find_if(machines.begin(), machines.end(),
                                    [&](sim::MachineId id) { return fleet.place(id) == place; });
  if (machine == machines.end())
    return refused(404, fmt::format("no simulated machine stands at '{}'", place));
  const auto was = fleet.serial(*machine);
  if (body.contains("gpu")) {
    const auto gpu = readInt(body, "gpu");
    if (!gpu) return refused(422, "gpu: a whole number from 0");
    if (fleet.kind(*machine) != sim::MachineKind::ComputeTray || *gpu < 0 || *gpu >= sim::Fleet::kGpusOfATray)
      return refused(422, fmt::format("{} has no GPU {}", place, *gpu));
    fleet.swapGpu(*machine, static_cast<int>(*gpu));
    return said(200, {{"place", place}, {"was", was}, {"serial", was}, {"manifest", nullptr}});
  }
  fleet.swap(*machine);
  return said(200, {{"place", place},
                    {"was", was},
                    {"serial", fleet.serial(*machine)},
                    {"manifest", fleet.manifest(*machine)}});
}

}  // namespace

HttpReply control(const HttpRequest& request, sim::Fleet& fleet, const WantedOf& wanted) {
  const auto body = parseJson(request.body);
  if (request.method != "POST") return refused(405, "only POST");
  if (!body) return refused(400, body.error().what);
  if (request.path() == "/outcome") return judge(*body, fleet, wanted);
  if (request.path() == "/swap") return swap(*body, fleet);
  return refused(404, "there are /outcome and /swap");
}

}  // namespace zellige::commands
