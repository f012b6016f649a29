#include "tests/workflows/fake_bmc.hpp"

namespace zellige::test {

Task<std::optional<Error>> FakeBmc::exchange() {
  co_await sleepFor(site_.life->executor, 100ms);
  if (broken) co_return broken;
  if (site_.time.now() < bmcBack_) co_return Error{Errc::Unreachable, "no route to BMC"};
  co_return std::nullopt;
}

Task<Result<void>> FakeBmc::write(std::string what, bool duplicate, void (*apply)(FakeBmc&)) {
  co_await site_.points.pass("write.before " + what);
  if (auto e = co_await exchange()) co_return *e;
  if (neverArrives(what)) co_return Error{Errc::Timeout, "no reply in time", true};
  std::optional<Error> answer;
  if (auto& errors = refuse[what]; !errors.empty()) {
    answer = errors.front();
    errors.erase(errors.begin());
  }
  if (!answer || answer->outcomeUnknown) {
    writes.push_back(what);
    duplicates += duplicate;
    needless += duplicate && (what == "aux" || what == "bmc");
    const bool cuts = what == "off" || what == "bmc" || what == "restart";
    interrupted += (cuts && writesNow()) || ((cuts || what == "aux") && anotherWrites());
    if (what != ignores) apply(*this);
  }
  co_await site_.points.pass("write.after " + what);
  if (answer) co_return *answer;
  co_return Result<void>{};
}

Task<Result<std::string>> FakeBmc::pushFirmware(PackageFile package, std::vector<std::string>, bool) {
  co_await site_.points.pass("write.before push");
  co_await sleepFor(site_.life->executor, uploads);
  if (auto e = co_await exchange()) co_return *e;
  if (neverArrives("push")) co_return Error{Errc::Timeout, "no reply in time", true};
  std::optional<Error> answer;
  if (auto& errors = refuse["push"]; !errors.empty()) {
    answer = errors.front();
    errors.erase(errors.begin());
  }
  std::string uri;
  if (!answer || answer->outcomeUnknown) {
    const auto what = packages.at(package.file.filename());
    duplicates += writing_++ > 0;
    const auto it = staged.find(what.item);
    duplicates += versions[what.item] == what.version || (it != staged.end() && it->second == what.version);
    writes.push_back("push " + package.file.filename().string());
    uri = fmt::format("/tasks/{}", nextTask_++);
    tasks_.push_back({uri, TaskState::Running, progress, ""});
    shownFrom_[uri] = site_.time.now() + lag;
    const bool fails = failTasks > 0 && failTasks-- > 0;
    const bool stuck = stuckTasks > 0 && stuckTasks-- > 0;
    if (showsVersionsEarly) versions[what.item] = what.version;
    site_.world.after(flashes, [this, what, uri, fails, stuck, cuts = cuts_] {
      if (cuts != cuts_) return;
      --writing_;
      for (auto& task : tasks_)
        if (task.uri == uri && !stuck)
          task = {uri, fails ? TaskState::Failed : TaskState::Completed, 100, fails ? "0x17" : ""};
      if (fails) return;
      staged[what.item] = what.version;
      if (what.activation == Activation::None) activate(Activation::None);
      if (forgetsTasks) tasks_.clear();
    });
  }
  co_await site_.points.pass("write.after push");
  if (answer) co_return *answer;
  co_return namesTasks ? uri : "";
}

void FakeBmc::activate(Activation how) {
  const bool lost = neverApplied > 0 && neverApplied-- > 0;
  for (const auto& [digest, package] : packages) {
    const auto it = staged.find(package.item);
    if (it == staged.end() || it->second != package.version) continue;
    if (package.activation != how && how != Activation::AuxCycle) continue;
    if (!lost) {
      before_[package.item] = {versions[package.item], site_.time.now() + versionLag};
      versions[package.item] = package.version;
    }
    staged.erase(it);
  }
}

void FakeBmc::restart(Activation how) {
  if (std::exchange(writing_, 0) > 0) ++cuts_;
  activate(how);
  restarted_ = site_.time.now();
  tasks_.clear();
  nextTask_ = 1;  // as OpenBMC counts
  bmcBack_ = site_.time.now() + away;
  baseboardBack_ = bmcBack_ + baseboardAway;
}

void FakeBmc::switchOff() {
  power = HostPower::Off;
  bootProgress.clear();
  ++hostResets_;
}

void FakeBmc::switchOn() {
  if (power == HostPower::Off) activate(Activation::HostCycle);
  power = HostPower::On;
  ++hostResets_;
  booted_ = site_.time.now() + boots;
  fromMedia_ = boot.once && boot.target == "Cd" && slot.inserted;
  boot = {"None", false};
  report_ = {};
  report_.bootId = fmt::format("boot {}", nextBoot_++);
  doneOrder_.clear();
}

void FakeBmc::runAgent(NodeId node) {
  site_.world.after(5s, [this, node] {
    agentTurn(node);
    runAgent(node);
  });
}

void FakeBmc::agentTurn(NodeId node) {
  const auto now = site_.time.now();
  if (power != HostPower::On || now < booted_ || !agentStarts) return;
  if (!fromMedia_ && disk.empty()) return;
  bootProgress = "OSRunning";
  const auto order = site_.tables.orders.find(node);
  report_.home = fromMedia_ ? AgentHome::Ramdisk : AgentHome::Os;
  ++report_.sequence;
  report_.image.digest = disk;
  if (report_.image.state == ImageState::None && !disk.empty()) report_.image.state = ImageState::Verified;
  if (order != site_.tables.orders.end() && order->second.id != doneOrder_) {
    const auto& what = order->second;
    doneOrder_ = what.id;
    if (what.kind == OrderKind::WriteImage && disk != what.imageDigest) {
      writes.emplace_back("image");
      report_.image = {ImageState::Writing, what.imageDigest, 0, ""};
      orderDone_ = now + images;
    }
    if (what.kind == OrderKind::BurnIn) {
      writes.emplace_back("burnin");
      report_.burnIn = {what.id, true, false, {}};
      orderDone_ = now + what.tests.front().duration + burnInPauses;
    }
  }
  const bool over = now >= orderDone_;
  if (report_.image.state == ImageState::Writing) {
    report_.image.digest = order->second.imageDigest;
    if (over && failImages > 0 && failImages-- > 0) {
      report_.image.state = ImageState::Failed;
      report_.image.error = "I/O error";
    } else if (over) {
      report_.image.state = ImageState::Verified;
      disk = report_.image.digest;
    }
  }
  if (over && !report_.burnIn.orderId.empty() && !report_.burnIn.finished) {
    report_.burnIn.finished = true;
    for (const auto& test : order->second.tests)
      report_.burnIn.results.push_back({test.id, TestOutcome::Pass, {{"tflops", 100.0}}, ""});
  }
  site_.tables.reports[node] = {report_, now};
  if (site_.life) site_.engine().nudge(node);
}

}  // namespace zellige::test
