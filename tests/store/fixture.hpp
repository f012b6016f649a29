// A store in a directory of its own, in virtual time, with a small site in it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "controller/base/digest.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/store/sqlite_store.hpp"
#include "tests/folder.hpp"

namespace zellige::test {

inline constexpr std::string_view kPassword = "factory-Canary-8d1f0b";

inline void writeFile(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline ManifestNode manifestNode(int n) {
  ManifestNode node;
  node.serial = "SN" + std::to_string(1000 + n);
  node.place.path = "H1/R01/RK00" + std::to_string(1 + n / 18) + "/U" + std::to_string(10 + n % 18);
  node.sku = "gb200";
  node.profile = "gb200-sim";
  node.bmc = {"02:00:00:00:00:" + std::to_string(10 + n), "10.0.0." + std::to_string(1 + n), 443, "root"};
  node.password = Secret{std::string(kPassword)};
  node.factoryPassword = true;
  return node;
}

/// A site of `nodes` trays. Its package and image must be in `content`.
inline SiteImport smallSite(const ContentStore& content, const std::filesystem::path& scratch, int nodes) {
  writeFile(scratch / "bmc.fwpkg", "a firmware package");
  writeFile(scratch / "os.img", "an image");
  const auto package = *content.importFile(scratch / "bmc.fwpkg", "");
  const auto image = *content.importFile(scratch / "os.img", "");
  SiteImport site;
  site.files = {{package, FileKind::Package}, {image, FileKind::Image}};
  site.skus = {{"gb200",
                NodeKind::ComputeTray,
                960,
                0,
                {{ComponentKind::Gpu, 4, "GB200"}, {ComponentKind::Cpu, 2, ""}}}};
  Baseline baseline{"2026.1", {}};
  baseline.entries.push_back({"bmc_tray",
                              package.digest,
                              {"/redfish/v1/Chassis/1"},
                              {{"HGX_FW_*", "1.4.0"}},
                              Activation::AuxCycle,
                              false});
  site.baselines = {baseline};
  Plan plan{"short", {}};
  plan.tests.push_back(
      {"gpu_gemm", 5min, true, {}, {{"gemm_tflops", {700.5, std::nullopt}}, {"errors", {std::nullopt, 0.0}}}});
  site.plans = {plan};
  site.profiles = {{"gb200-sim",
                    "gb200",
                    "2026.1",
                    "short",
                    "os.img",
                    image.digest,
                    {{"10.0.0.254"}, "10.0.0.253", 514, "LastState"}}};
  Manifest manifest{"lab", {}};
  for (int n = 0; n < nodes; ++n) manifest.nodes.push_back(manifestNode(n));
  site.manifests = {manifest};
  return site;
}

inline Inventory smallInventory() {
  Inventory i{"SN1000", "NVIDIA", "GB200 NVL", 960, {}, {}};
  i.components.push_back({ComponentKind::Gpu, "GPU_0", "165001", "GB200", "900-1", true, false, ""});
  i.components.push_back({ComponentKind::Gpu, "GPU_1", "165002", "GB200", "900-1", true, false, ""});
  i.firmware.push_back({"HGX_FW_GPU_0", "97.00.1", true, false});
  i.firmware.push_back({"HGX_FW_GPU_1", "97.00.1", true, false});
  return i;
}

template <class T>
Task<void> keep(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await task);
}

class StoreTest : public ::testing::Test {
 protected:
  static StoreOptions virtualOptions() {
    StoreOptions options;
    options.writing = StoreOptions::Writing::Virtual;
    options.durable = false;
    return options;
  }

  void openStore(StoreOptions options = virtualOptions()) {
    close();
    executor_ = std::make_unique<VirtualExecutor>(time_);
    auto opened = SqliteStore::open(directory_.path() / "data", *executor_, SecretBox::fromSeed("test"),
                                    std::move(options));
    ASSERT_TRUE(opened) << opened.error().what;
    store_ = std::move(*opened);
    queries_ = store_->queries();
  }
  /// What a crash does: nothing that was not committed survives.
  void close() {
    queries_.reset();
    store_.reset();
    executor_.reset();
  }
  void openWithSite(int nodes = 3) {
    openStore();
    const auto summary = wait(store_->importSite(site(nodes), by_));
    ASSERT_TRUE(summary) << summary.error().what;
  }
  SiteImport site(int nodes) { return smallSite(store_->content(), directory_.path(), nodes); }

  /// Runs virtual time until the task has its answer.
  template <class T>
  T wait(Task<T> task) {
    std::optional<T> out;
    executor_->spawn(keep(std::move(task), out));
    while (!out && time_.runOne()) {
    }
    if (!out) throw std::runtime_error("the task never ended");
    return std::move(*out);
  }
  Result<Receipt> commit(std::vector<Op> ops) { return wait(store_->commit(change(std::move(ops)))); }
  Change change(std::vector<Op> ops) { return Change{time_.now(), "engine", std::move(ops)}; }

  std::vector<StoredEvent> eventsSince(std::int64_t since) {
    return queries_->events(since, {}, 10'000).events;
  }
  std::vector<std::string> kindsSince(std::int64_t since) {
    std::vector<std::string> out;
    for (const auto& e : eventsSince(since)) out.push_back(e.kind);
    return out;
  }
  NodeId nodeId(int n) { return *store_->nodeBySerial("SN" + std::to_string(1000 + n)); }
  zellige::Run newRun(std::vector<NodeId> subject) {
    zellige::Run run;
    run.workflow = "qualify";
    run.subject = std::move(subject);
    run.step = "discover.identify";
    run.startedBy = "engine";
    run.created = run.stepSince = time_.now();
    return run;
  }
  RunId startRun(NodeId node) { return RunId{commit({SaveRun{newRun({node}), "run.started"}})->ids.at(0)}; }
  Result<Receipt> move(NodeId node, Lifecycle from, Lifecycle to, Actor actor = Actor::Engine,
                       std::vector<std::string> evidence = {}) {
    return commit({MoveLifecycle{node, from, to, actor, "because", std::move(evidence)}});
  }
  void raise(NodeId node, std::string cause, std::string detail = "seen") {
    Finding finding;
    finding.node = node;
    finding.cause = std::move(cause);
    finding.detail = std::move(detail);
    ASSERT_TRUE(commit({RaiseFinding{finding}}));
  }

  Folder directory_;
  VirtualTime time_;
  std::unique_ptr<VirtualExecutor> executor_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Queries> queries_;
  const By by_{"alice", "bring-up"};
};

}  // namespace zellige::test
