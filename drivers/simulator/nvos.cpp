#include "drivers/simulator/nvos.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "drivers/simulator/bmc.hpp"
#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/host.hpp"
#include "drivers/simulator/nvlink.hpp"
#include "drivers/simulator/reply.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim::nvos {

namespace {

constexpr std::size_t kMostJobs = 16;                        // est
constexpr std::size_t kMinPassword = 12, kMaxPassword = 64;  // FACTS 7: switch tray
constexpr std::string_view kRoot = "/nvue_v1/", kFirmware = "platform/firmware", kImage = "system/image";

Nvos& of(const Machine& m) { return *m.nvos; }

HttpReply refused(int status, std::string_view why) {
  return jsonReply(status, {{"title", why}, {"status", status}});
}
HttpReply notThere() { return refused(404, "not found"); }

bool isAdmin(const Machine& m, const HttpRequest& request) {
  constexpr std::string_view kBasic = "Basic ";
  const auto header = request.headers.get("Authorization");
  if (!header.starts_with(kBasic)) return false;
  const auto pair = fromBase64(header.substr(kBasic.size()));
  return pair && *pair == "admin:" + of(m).password;
}

// --- Jobs

Nvos::Job& addJob(Machine& m) {
  auto& jobs = of(m).jobs;
  if (jobs.size() == kMostJobs) jobs.erase(jobs.begin());
  jobs.push_back({of(m).nextJob++, JobState::Running, "Action executing ..."});
  return jobs.back();
}

void end(Machine& m, std::uint16_t id, JobState state, std::string detail) {
  for (auto& job : of(m).jobs)
    if (job.id == id) {
      job.state = state;
      job.detail = std::move(detail);
      return;
    }
}

HttpReply started(const Nvos::Job& job) { return jsonReply(201, Json(std::to_string(job.id))); }

Json show(const Nvos::Job& job) {
  static constexpr std::array<std::string_view, 3> words{"running", "action_success", "action_error"};
  return {{"state", words[static_cast<std::size_t>(job.state)]},
          {"detail", job.detail},
          {"issue", Json::array()},
          {"timeout", 1800},
          {"type", ""}};
}

// --- Firmware

void keep(Machine& m, const BundlePackage& package, std::string name, std::uint16_t job,
          const Result<HttpReply>& got) {
  if (!got || got->status != 200) return end(m, job, JobState::Error, "Failed to fetch the file");
  auto& files = of(m).files;
  std::erase_if(files, [&](const auto& file) { return file.bundle == package.bundle; });
  files.push_back({package.bundle, std::move(name), got->body});
  end(m, job, JobState::Success, "File fetched successfully");
}

HttpReply fetch(World& w, Machine& m, const BundlePackage& package, const Json& parameters) {
  const auto url = readString(parameters, "remote-url").value_or("");
  const auto name = url.substr(url.rfind('/') + 1);
  if (!url.starts_with("https://") || name.empty() || url.size() > 512) return refused(400, "remote-url");
  const auto job = addJob(m).id;
  w.beginUpload();
  m.uploading += w.times().upload;
  w.after(w.times().upload, [&w, id = m.id, &package, url, name, job] {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (!w.uplink || machine.host.phase != HostPhase::Running) return;
    w.uplink->send(url, HttpRequest{}, w.whileAlive([&w, id, &package, name, job](Result<HttpReply> got) {
      keep(w.machines[static_cast<std::size_t>(id)], package, name, job, got);
    }));
  });
  return started(of(m).jobs.back());
}

/// Item and version of what the file would install.
std::vector<std::pair<std::size_t, std::uint16_t>> contents(World& w, const Machine& m,
                                                            const Nvos::File& file) {
  std::vector<std::pair<std::size_t, std::uint16_t>> out;
  const auto& opened = w.packages.open(file.bytes);
  if (!opened.package || opened.package->device != deviceOf(*m.profile->package(file.bundle))) return out;
  for (std::size_t i = 0; i < m.profile->firmware.size(); ++i)
    for (const auto& c : opened.package->components)
      if (m.profile->firmware[i].bundle == file.bundle &&
          softwareNumber(m.profile->firmware[i].softwareId) == c.identifier)
        out.emplace_back(i, w.version(c.version, c.stamp));
  return out;
}

Nvos::File* fileOf(Machine& m, Bundle bundle) {
  for (auto& file : of(m).files)
    if (file.bundle == bundle) return &file;
  return nullptr;
}

void installed(World& w, Machine& m) {
  auto& n = of(m);
  const auto job = std::exchange(n.installing, std::uint16_t{0});
  w.end(m, Work::Flash);
  const auto* file = fileOf(m, n.bundle);
  const auto writes = file ? contents(w, m, *file) : std::vector<std::pair<std::size_t, std::uint16_t>>{};
  if (writes.empty()) return end(m, job, JobState::Error, "The file is not valid for this component");
  for (const auto& [item, version] : writes) {
    m.pending[item] = m.active[item] == version ? std::uint16_t{0} : version;
    m.bricked &= ~(1u << item);
  }
  ++m.flashes;
  n.rebooted = false;
  end(m, job, JobState::Success,
      n.bundle == Bundle::SwitchOs ? "Installed; next reboot will start it"
                                   : "Next reboot will perform a power cycle");
}

Duration timeOf(const Times& times, Bundle bundle) {
  switch (bundle) {
    case Bundle::SwitchErot: return times.singleFlash;
    case Bundle::SwitchBmc:
    case Bundle::SwitchOs: return times.switchLongInstall;
    default: return times.switchInstall;
  }
}

std::string whyDuplicate(World& w, const Machine& m, const Nvos::File& file) {
  if (of(m).installing != 0 && of(m).bundle == file.bundle) return "this component is being written";
  const auto writes = contents(w, m, file);
  for (const auto& [item, version] : writes)
    if ((m.pending[item] != 0 ? m.pending[item] : m.active[item]) != version || (m.bricked >> item & 1u) != 0)
      return {};
  return writes.empty() ? "" : "every version in it is already pending or active";
}

HttpReply install(World& w, Machine& m, const BundlePackage& package, std::string_view name) {
  const auto* file = fileOf(m, package.bundle);
  if (!file || file->name != name) return notThere();
  w.record(m, ActKind::FirmwareStart, package.entry, sha256Hex(file->bytes), whyDuplicate(w, m, *file));
  auto& n = of(m);
  if (n.installing != 0) return refused(409, "another action is running");
  const auto& job = addJob(m);
  n.installing = job.id;
  n.bundle = package.bundle;
  w.begin(m, Work::Flash);
  w.later(m, Track::Flash, w.spread(m, timeOf(w.times(), package.bundle)), installed);
  return started(job);
}

// --- Reboot

bool anyPendingPower(const Machine& m) {
  for (const auto bundle :
       {Bundle::SwitchBmc, Bundle::SwitchErot, Bundle::SwitchFpga, Bundle::SwitchBios, Bundle::SwitchCpld})
    if (m.anyPending(bundle)) return true;
  return false;
}

void goDown(World& w, Machine& m) {
  const bool cycles = anyPendingPower(m);
  host::cutPower(w, m);
  for (const auto& package : m.profile->packages) firmware::activate(w, m, package.bundle);
  if (cycles) {
    bmc::lose(w, m);
    bmc::begin(w, m);
  } else {
    host::powerOn(w, m);
  }
}

HttpReply reboot(World& w, Machine& m) {
  auto& n = of(m);
  const bool needed = anyPendingPower(m) || m.anyPending(Bundle::SwitchOs);
  w.record(m, ActKind::AuxCycle, "NVOS", {},
           m.bmcGoing              ? "an earlier request to reboot is being carried out"
           : n.rebooted && !needed ? "an earlier reboot took effect and nothing was installed since"
                                   : "");
  n.rebooted = true;
  const auto& job = addJob(m);
  if (m.bmcGoing) return started(job);
  m.bmcGoing = true;
  w.later(m, Track::Power, w.times().bmcResetDelay, [](World& world, Machine& machine) {
    machine.bmcGoing = false;
    goDown(world, machine);
  });
  return started(job);
}

// --- Settings

HttpReply changeRevision(Nvos::Revision& revision, std::string_view path, const Json& body) {
  if (path == "system/aaa/user/admin") {
    const auto password = readString(body, "password").value_or("");
    if (password.size() < kMinPassword || password.size() > kMaxPassword) return refused(400, "password");
    revision.password = password;
    return jsonReply(200, Json::object());
  }
  if (path == "cluster") {
    const auto state = readString(body, "state");
    if (state != "enabled" && state != "disabled") return refused(400, "state");
    revision.cluster = state == "enabled";
    return jsonReply(200, Json::object());
  }
  return notThere();
}

Answer apply(World& w, Machine& m, Nvos::Revision& revision) {
  auto& n = of(m);
  Duration latency{0};
  if (!revision.password.empty()) {
    w.record(m, ActKind::PasswordSet, "admin", {},
             revision.password == n.password ? "this password is already set" : "");
    n.nextPassword = revision.password;
    latency = w.times().passwordSet;
    w.later(m, Track::OsPassword, latency,
            [](World&, Machine& machine) { of(machine).password = std::move(of(machine).nextPassword); });
  }
  if (revision.cluster) {
    w.record(m, ActKind::Settings, "cluster", *revision.cluster ? "enabled" : "disabled",
             *revision.cluster ? nvlink::whyDuplicate(w, m) : "");
    if (!n.cluster) n.clusterSince = w.now();
    n.cluster = *revision.cluster;
  }
  revision.applied = true;
  return {jsonReply(200, {{"state", "applied"}}), latency};
}

// --- Reading

Json firmwareList(const World& w, const Machine& m) {
  Json out = Json::object();
  for (const auto& package : m.profile->packages) {
    if (package.bundle == Bundle::SwitchOs) continue;
    for (std::size_t i = 0; i < m.profile->firmware.size(); ++i)
      if (m.profile->firmware[i].bundle == package.bundle)
        out[package.target] = {{"actual-firmware", w.versionText(m.active[i])}, {"part-number", "N/A"}};
  }
  const auto asic = static_cast<std::size_t>(m.profile->item("MGX_FW_NVSwitch_0"));
  out["ASIC"] = {{"actual-firmware", w.versionText(m.active[asic])}, {"part-number", "920-9K36F-00MV-GS0"}};
  return out;
}

Json imageList(const World& w, const Machine& m) {
  const auto item = static_cast<std::size_t>(m.profile->item("NVOS"));
  const auto active = w.versionText(m.active[item]);
  const auto next = m.pending[item] != 0 ? w.versionText(m.pending[item]) : active;
  return {{"current", "1"},
          {"next", m.pending[item] != 0 ? "2" : "1"},
          {"partition1", {{"build-id", active}}},
          {"partition2", {{"build-id", next}}}};
}

Json filesOf(const Machine& m, Bundle bundle) {
  Json out = Json::object();
  for (const auto& file : of(m).files)
    if (file.bundle == bundle) out[file.name] = {{"path", "/host/fw-images/" + file.name}};
  return out;
}

std::optional<Json> read(const World& w, const Machine& m, std::string_view path) {
  const auto& n = of(m);
  if (path == "platform")
    return Json{
        {"manufacturer", "Nvidia"}, {"product-name", "N5110_LD"}, {"serial-number", w.identity(m).serial()}};
  if (path == kFirmware) return firmwareList(w, m);
  if (path == kImage) return imageList(w, m);
  if (path == "system/image/files") return filesOf(m, Bundle::SwitchOs);
  if (path == "system/reboot")
    return Json{
        {"reason", {{"gentime", redfishTime(m.host.since)}, {"reason", "n/a"}, {"user", "system/root"}}}};
  if (path == "cluster") return Json{{"state", n.cluster ? "enabled" : "disabled"}};
  if (path == "cluster/apps/nmx-controller") return nvlink::controlPlane(w, m);
  if (path == "action") {
    Json out = Json::object();
    for (const auto& job : n.jobs) out[std::to_string(job.id)] = show(job);
    return out;
  }
  for (const auto& job : n.jobs)
    if (path == fmt::format("action/{}", job.id)) return show(job);
  for (const auto& [id, revision] : n.revisions)
    if (path == fmt::format("revision/{}", id))
      return Json{{"state", revision.applied ? "applied" : "pending"}};
  for (const auto& package : m.profile->packages)
    if (path == fmt::format("{}/{}/files", kFirmware, package.target)) return filesOf(m, package.bundle);
  return std::nullopt;
}

/// "@install" of {"@install": {"state": "start", "parameters": {…}}}, and the parameters.
std::pair<std::string, Json> actionOf(const Json& body) {
  if (body.size() != 1 || !body.begin().key().starts_with('@')) return {};
  const auto& action = body.begin().value();
  if (readString(action, "state") != "start") return {};
  const auto* parameters = at(action, "parameters");
  return {body.begin().key(), parameters ? *parameters : Json::object()};
}

HttpReply post(World& w, Machine& m, std::string_view path, const Json& body) {
  if (path == "revision") {
    const int id = of(m).nextRevision++;
    of(m).revisions[id] = {};
    return jsonReply(201, {{std::to_string(id), {{"state", "pending"}}}});
  }
  const auto [action, parameters] = actionOf(body);
  if (path == "system" && action == "@reboot") return reboot(w, m);
  for (const auto& package : m.profile->packages) {
    const auto own = package.bundle == Bundle::SwitchOs ? std::string(kImage)
                                                        : fmt::format("{}/{}", kFirmware, package.target);
    if (path == own && action == "@fetch") return fetch(w, m, package, parameters);
    const auto files = own + "/files/";
    if (path.starts_with(files) && action == "@install")
      return install(w, m, package, path.substr(files.size()));
  }
  return notThere();
}

Answer patch(World& w, Machine& m, std::string_view path, std::string_view query, const Json& body) {
  for (auto& [id, revision] : of(m).revisions) {
    if (path == fmt::format("revision/{}", id))
      return readString(body, "state") == "apply" ? apply(w, m, revision) : Answer{refused(400, "state")};
    if (query == fmt::format("rev={}", id)) return {changeRevision(revision, path, body)};
  }
  return {notThere()};
}

}  // namespace

Answer answer(World& w, Machine& m, const HttpRequest& request) {
  auto path = request.path();
  if (!path.starts_with(kRoot)) return {notThere()};
  path.remove_prefix(kRoot.size());
  if (!isAdmin(m, request)) {
    w.ledger.countRefusedPassword(m.id);
    return {refused(401, "The server could not verify that you are authorized")};
  }
  if (request.method == "GET") {
    const auto json = read(w, m, path);
    return {json ? jsonReply(200, *json) : notThere()};
  }
  Json body = Json::object();
  if (!request.body.empty()) {
    auto parsed = parseJson(request.body, {.bytes = 64u << 10, .depth = 8, .values = 1'000});
    if (!parsed || !parsed->is_object()) return {refused(400, "not a JSON object")};
    body = std::move(*parsed);
  }
  if (request.method == "POST") return {post(w, m, path, body)};
  if (request.method == "PATCH") return patch(w, m, path, request.query(), body);
  return {refused(405, "method not allowed")};
}

void interrupt(World& w, Machine& m) {
  auto& n = of(m);
  if (n.installing != 0) {
    for (std::size_t i = 0; i < m.profile->firmware.size(); ++i)
      if (m.profile->firmware[i].bundle == n.bundle) m.bricked |= 1u << i;
    ++m.interruptedFlashes;
    n.installing = 0;
    w.stop(m, Track::Flash);
    w.end(m, Work::Flash);
  }
  n.jobs.clear();
  n.revisions.clear();
}

}  // namespace zellige::sim::nvos
