// One tray, one profile, a workflow made of the steps under test.
#pragma once

#include "tests/workflows/fake_bmc.hpp"
#include "workflows/steps.hpp"

namespace zellige::test {

struct FleetOfOne {
  explicit FleetOfOne(std::vector<Step> chosen, Lifecycle lifecycle = Lifecycle::Qualifying)
      : steps(std::move(chosen)), flow{.name = "test", .steps = steps}, site({&flow}) {
    node = site.add(std::make_unique<FakeBmc>(site), "H1/R01/RK001/U10", lifecycle);
    site.tables.nodes[node].profile = "p";
    site.tables.access[node];
    auto& target = site.tables.profiles["p"];
    target.digest = "target";
    target.profile = {"p", "sku", "base", "plan", "os", "os-1", {}};
    target.sku.components = {{ComponentKind::Gpu, 1, "GB200"}};
    target.plan = {"plan", {{"gemm", 30min, true, {}, {{"tflops", {50.0, {}}}}}}};
    machine().parts.serial = "S1";
    machine().parts.components = {{ComponentKind::Gpu, "GPU_0", "165", "NVIDIA GB200", "", true, false, ""}};
    machine().runAgent(node);
  }
  FakeBmc& machine() { return static_cast<FakeBmc&>(*site.machines.at(node)); }
  Target& target() { return site.tables.profiles["p"]; }
  /// One more entry of the baseline: `item` is at 1 and wanted at 2.
  void wantFirmware(std::string id, std::string item, Activation activation) {
    const auto digest = "package-" + id;
    site.tables.files[digest] = {digest, id + ".fwpkg", 1};
    machine().packages[digest] = {item, "2", activation};
    machine().versions[item] = "1";
    target().baseline.entries.push_back({id, digest, {}, {{item, "2"}}, activation, false});
  }
  Result<RunId> tryStart() {
    StartRun request;
    request.workflow = "test";
    request.subject = {node};
    request.profile = "p";
    return *site.tryStart(std::move(request));
  }
  RunId start() { return *tryStart(); }
  RunState runToEnd(Duration horizon = 48h) {
    site.boot();
    id = start();
    site.runToEnd(id, horizon);
    return run().state;
  }
  const Run& run() const { return site.tables.run(id); }
  std::vector<std::string> causes() const { return site.tables.openCauses(node); }
  bool hasEvidence(const std::string& subject) const {
    const auto it = site.tables.evidence.find({node, subject});
    return it != site.tables.evidence.end() && it->second.valid;
  }

  std::vector<Step> steps;
  Workflow flow;
  Site site;
  NodeId node;
  RunId id{1};
};

}  // namespace zellige::test
