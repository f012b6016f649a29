#include "drivers/simulator/firmware.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/bmc.hpp"
#include "drivers/simulator/multipart.hpp"
#include "drivers/simulator/reply.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim::firmware {

namespace {

constexpr std::size_t kMaxImage = 209'715'200;  // MaxImageSizeBytes of the recorded UpdateService
constexpr Duration kPushGap{30'000};            // FACTS 6: two bundles at once, 30 s apart or memory runs out
constexpr int kBusyRetry = 30;                  // bmcweb: ServiceTemporarilyUnavailable 30
constexpr std::size_t kMaxTasks = 8;            // est: bmcweb keeps 100; a tray sees few
constexpr int kMostFallBacks = 3;               // ours (ledger.hpp)
constexpr std::string_view kInventory = "/redfish/v1/UpdateService/FirmwareInventory/";

/// What a push is aimed at: the items, as a bit mask, and the name of it all for the ledger.
struct Target {
  std::uint32_t items = 0;
  bool hgx = false;
  bool single = false;
  std::string component;
  std::string_view device;  ///< that a package for it names
};

void add(Target& target, const Profile& profile, const BundlePackage& package) {
  for (unsigned i = 0; i < profile.firmware.size(); ++i)
    if (profile.firmware[i].bundle == package.bundle) target.items |= 1u << i;
  target.hgx = target.hgx || package.bundle == Bundle::Compute;
  target.component = package.entry;
  target.device = deviceOf(package);
}

/// One URI of a push; empty: the whole machine.
bool add(Target& target, const Profile& profile, std::string_view uri) {
  for (const auto& package : profile.packages)
    if (package.target == uri) {
      add(target, profile, package);
      return true;
    }
  const int index = uri.starts_with(kInventory) ? profile.item(uri.substr(kInventory.size())) : -1;
  if (index < 0) return false;
  const auto& item = profile.firmware[static_cast<std::size_t>(index)];
  target.items |= 1u << static_cast<unsigned>(index);
  target.single = true;
  target.hgx = target.hgx || item.bundle == Bundle::Compute;
  target.component += (target.component.empty() ? "" : "+") + std::string(item.id);
  if (const auto* package = profile.package(item.bundle)) target.device = deviceOf(*package);
  return true;
}

Result<Target> readTarget(const Profile& profile, const Json& targets) {
  Target out;
  if (targets.empty() && !add(out, profile, "")) return Error{Errc::NotFound, "Targets"};
  for (const auto& target : targets)
    if (const auto uri = target.is_string() ? target.get<std::string>() : std::string();
        uri.empty() || !add(out, profile, uri))
      return Error{Errc::NotFound, uri};
  return out;
}

/// A push as the BMC understands it.
struct Push {
  Target target;
  bool force = false;
  std::string_view file;
};

Result<Push> readMultipart(const Profile& profile, const HttpRequest& request) {
  const auto parts = readForm(request.headers.get("Content-Type"), request.body);
  if (!parts) return parts.error();
  Push push;
  bool parameters = false, file = false;
  for (const auto& part : *parts) {
    if (part.name == "UpdateFile") {
      push.file = part.body;
      file = true;
    } else if (part.name == "UpdateParameters") {
      const auto json = parseJson(part.body, {.bytes = 64u << 10, .depth = 8, .values = 1'000});
      if (!json || !json->is_object()) return Error{Errc::Invalid, "UpdateParameters is not a JSON object"};
      for (const auto& [key, value] : json->items())
        if (key != "Targets" && key != "ForceUpdate" && key != "@Redfish.OperationApplyTime" && key != "Oem")
          return Error{Errc::Invalid, fmt::format("UpdateParameters has no property {}", key)};
      auto target = readTarget(profile, readArray(*json, "Targets"));
      if (!target) return target.error();
      push.target = std::move(*target);
      push.force = readBool(*json, "ForceUpdate").value_or(false);
      parameters = true;
    }
  }
  if (!parameters || !file) return Error{Errc::Invalid, "UpdateParameters or UpdateFile is missing"};
  return push;
}

/// The body is the package, and the package says what it is for.
Push readPlain(World& w, const Profile& profile, const HttpRequest& request) {
  Push push;
  push.force = true;
  push.file = request.body;
  push.target.component = "unknown";
  const auto& opened = w.packages.open(push.file);
  if (!opened.package) return push;
  for (const auto& package : profile.packages)
    if (deviceOf(package) == opened.package->device) add(push.target, profile, package);
  return push;
}

/// What the package would write into the target's items.
std::vector<std::pair<std::uint8_t, std::uint16_t>> plan(World& w, const Profile& profile,
                                                         const Package& package, const Target& target) {
  std::vector<std::pair<std::uint8_t, std::uint16_t>> writes;
  if (package.device != target.device) return writes;
  for (std::size_t i = 0; i < profile.firmware.size(); ++i) {
    if ((target.items & (1u << i)) == 0) continue;
    for (const auto& c : package.components)
      if (softwareNumber(profile.firmware[i].softwareId) == c.identifier)
        writes.emplace_back(static_cast<std::uint8_t>(i), w.version(c.version, c.stamp));
  }
  return writes;
}

bool lowerStamp(const World& w, const Machine& m, const Package& package, const Target& target) {
  for (std::size_t i = 0; i < m.profile->firmware.size(); ++i)
    for (const auto& c : package.components)
      if ((target.items & (1u << i)) != 0 &&
          softwareNumber(m.profile->firmware[i].softwareId) == c.identifier && c.stamp < w.stamp(m.active[i]))
        return true;
  return false;
}

std::string whyDuplicate(const World& w, const Machine& m, const Push& push, const std::string& digest,
                         const std::vector<std::pair<std::uint8_t, std::uint16_t>>& writes) {
  const auto& f = m.flash;
  if (f.running)
    return w.strings.text(f.digest) == digest && w.strings.text(f.component) == push.target.component
               ? fmt::format("this package is being written to {} since the task {}{}", push.target.component,
                             f.hgx ? "HGX_" : "", f.task)
               : std::string();
  if (writes.empty()) return {};
  bool fallsBack = false;
  for (const auto& [item, version] : writes) {
    if ((m.pending[item] != 0 ? m.pending[item] : m.active[item]) == version && (m.bricked >> item & 1u) == 0)
      continue;
    const bool hopeless = item == w.stubbornItem(m) && version == m.fellBackFrom;
    if (!hopeless || m.fallBacks < kMostFallBacks) return {};
    fallsBack = true;
  }
  return fmt::format("every version in it is already pending or active in {}{}", push.target.component,
                     fallsBack ? ", or has fallen back three times" : "");
}

UpdateTask* taskOf(Machine& m) {
  for (auto& task : m.tasks)
    if (task.number == m.flash.task && task.hgx == m.flash.hgx) return &task;
  return nullptr;
}

void finish(World& w, Machine& m, TaskOutcome outcome) {
  if (auto* task = taskOf(m)) {
    task->outcome = outcome;
    task->end = w.now();
  }
  m.flash.running = false;
  std::vector<std::pair<std::uint8_t, std::uint16_t>>().swap(m.flash.writes);
  w.stop(m, Track::Flash);
  w.end(m, Work::Flash);
}

void written(World& w, Machine& m) {
  const auto outcome = m.flash.outcome;
  if (outcome == TaskOutcome::Completed) {
    for (const auto& [item, version] : m.flash.writes) {
      m.pending[item] = m.active[item] == version ? std::uint16_t{0} : version;
      m.bricked &= ~(1u << item);
    }
    ++m.flashes;
    m.delivered.resetWhileHeld = false;
  }
  m.updateStuck = outcome == TaskOutcome::Completed && w.fires(m, FaultKind::TaskStuck);
  finish(w, m, m.updateStuck ? TaskOutcome::Running : outcome);
  activate(w, m, Bundle::ShelfSupplies);  // they go over to it one after the other, without a break
  if (outcome == TaskOutcome::Completed && !m.updateStuck && w.fires(m, FaultKind::TaskLostDone))
    bmc::restart(w, m, bmc::Why::AfterFlash);
}

void dieInTheMiddle(World& w, Machine& m) { bmc::restart(w, m, bmc::Why::Lost); }

void start(World& w, Machine& m, const Push& push, const PackageStore::Opened& opened) {
  auto& f = m.flash;
  f.running = true;
  f.hgx = push.target.hgx;
  f.task = f.hgx ? m.nextHgxTask++ : m.nextTask++;
  f.component = w.strings.id(push.target.component);
  f.digest = w.strings.id(opened.digest);
  f.writes.clear();
  f.outcome = TaskOutcome::NotRecognised;
  if (opened.package) {
    if (!push.force && lowerStamp(w, m, *opened.package, push.target))
      f.outcome = TaskOutcome::LowerStamp;
    else if (f.writes = plan(w, *m.profile, *opened.package, push.target); !f.writes.empty())
      f.outcome = TaskOutcome::Completed;
  }
  const auto& times = w.times();
  const bool real = f.outcome == TaskOutcome::Completed;
  const auto whole = push.target.single ? times.singleFlash
                     : !m.isTray()      ? times.shelfFlash
                     : f.hgx            ? times.computeFlash
                                        : times.bmcTrayFlash;
  const auto duration = real ? w.spread(m, whole) : times.notRecognised;
  addTask(m, {f.task, f.hgx, TaskOutcome::Running, w.now(), w.now() + duration});
  if (f.hgx ? m.computeCopying : m.trayCopying) ++m.copiesAtRisk;
  w.begin(m, Work::Flash);
  if (real && w.fires(m, FaultKind::CompletedCritical)) f.outcome = TaskOutcome::CompletedCritical;
  if (f.outcome == TaskOutcome::Completed && w.fires(m, FaultKind::TaskLostNotDone))
    w.later(m, Track::Flash, duration / 2, dieInTheMiddle);
  else
    w.later(m, Track::Flash, duration, written);
}

void beginCopy(World& w, Machine& m, Bundle bundle) {
  const auto d = w.times().bmcRestart + w.times().backgroundCopy;
  if (bundle == Bundle::BmcTray) {
    m.trayCopying = true;
    w.begin(m, Work::TrayCopy);
    w.later(m, Track::TrayCopy, d, [](World& world, Machine& machine) {
      machine.trayCopying = false;
      world.end(machine, Work::TrayCopy);
    });
  } else {
    m.computeCopying = true;
    w.begin(m, Work::ComputeCopy);
    w.later(m, Track::ComputeCopy, d, [](World& world, Machine& machine) {
      machine.computeCopying = false;
      world.end(machine, Work::ComputeCopy);
    });
  }
}

}  // namespace

HttpReply push(World& w, Machine& m, const HttpRequest& request) {
  if (request.body.size() > kMaxImage)
    return errorReply(413, "PayloadTooLarge", "The image is larger than MaxImageSizeBytes.");
  const auto read = m.isTray() ? readMultipart(*m.profile, request) : readPlain(w, *m.profile, request);
  if (!read) {
    if (read.error().code == Errc::NotFound)
      return errorReply(404, "ResourceNotFound", fmt::format("There is no target {}.", read.error().what));
    return errorReply(400, "MalformedJSON", read.error().what);
  }
  if (read->target.hgx && !m.hgxUp)
    return errorReply(404, "ResourceNotFound", "The HGX targets are not there.");
  const auto& opened = w.packages.open(read->file);
  std::vector<std::pair<std::uint8_t, std::uint16_t>> writes;
  if (opened.package) writes = plan(w, *m.profile, *opened.package, read->target);
  auto why = whyDuplicate(w, m, *read, opened.digest, writes);
  const bool soon = m.lastPush != Time::min() && w.now() - m.lastPush < kPushGap;
  if (m.updateStuck || (m.flash.running && !soon)) {
    if (!why.empty())
      w.record(m, ActKind::FirmwareStart, read->target.component, opened.digest, std::move(why));
    return unavailable("Another update is running.", kBusyRetry);
  }
  w.record(m, ActKind::FirmwareStart, read->target.component, opened.digest, std::move(why));
  if (m.flash.running) {
    ++m.memoryExhaustions;
    bmc::restart(w, m, bmc::Why::Lost);
    return HttpReply{};  // nobody is left to answer
  }
  m.lastPush = w.now();
  start(w, m, *read, opened);
  return taskReply(w, m);
}

void interrupt(World& w, Machine& m) {
  for (const auto& write : m.flash.writes) m.bricked |= 1u << write.first;
  if (!m.flash.writes.empty()) ++m.interruptedFlashes;
  finish(w, m, TaskOutcome::CutOff);
}

void lose(World& w, Machine& m) { finish(w, m, TaskOutcome::CutOff); }

bool activate(World& w, Machine& m, Bundle bundle) {
  bool any = false;
  const int stubborn = w.stubbornItem(m);
  for (std::size_t i = 0; i < m.profile->firmware.size(); ++i) {
    if (m.pending[i] == 0 || m.profile->firmware[i].bundle != bundle) continue;
    const auto version = std::exchange(m.pending[i], std::uint16_t{0});
    any = true;
    if (static_cast<int>(i) != stubborn) {
      m.active[i] = version;
      continue;
    }
    m.fellBack = true;
    m.fallBacks = version == m.fellBackFrom ? m.fallBacks + 1 : 1;
    m.fellBackFrom = version;
    w.faults.showed(m.id, FaultKind::OldForGood);
  }
  if (any && m.isTray()) beginCopy(w, m, bundle);
  return any;
}

void addTask(Machine& m, UpdateTask task) {
  if (m.tasks.size() == kMaxTasks) m.tasks.erase(m.tasks.begin());
  m.tasks.push_back(task);
}

HttpReply taskReply(const World& w, const Machine& m) {
  const auto uri = fmt::format("/redfish/v1/TaskService/Tasks/{}", taskId(m.tasks.back()));
  auto reply = jsonReply(202, *resource(w, m, uri));
  reply.headers.add("Location", uri + "/Monitor");
  return reply;
}

std::string taskId(const UpdateTask& task) { return (task.hgx ? "HGX_" : "") + std::to_string(task.number); }

int percent(const World& w, const UpdateTask& task) {
  if (task.outcome == TaskOutcome::Completed || task.outcome == TaskOutcome::CompletedCritical) return 100;
  const auto done = (std::min(w.now(), task.end) - task.start).count() * 100;
  const auto whole = std::max<std::int64_t>(1, (task.end - task.start).count());
  const auto part = done / whole;
  return part < 5 ? 0 : part < 40 ? 20 : 40;
}

const UpdateTask* findTask(const Machine& m, std::string_view id) {
  for (const auto& task : m.tasks)
    if (taskId(task) == id) return &task;
  return nullptr;
}

}  // namespace zellige::sim::firmware
