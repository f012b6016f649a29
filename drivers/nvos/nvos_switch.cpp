#include "drivers/nvos/nvos_switch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "drivers/nvos/reply.hpp"

namespace zellige::nvos {

namespace {

constexpr std::string_view kRoot = "/nvue_v1/";
constexpr std::string_view kOwnImage = "NVOS";
constexpr std::string_view kConfigured = "CONTROL_PLANE_STATE_CONFIGURED";

/// A number, bare or as a text: what an action answers.
std::string jobOf(const Json& reply) {
  if (reply.is_number_unsigned()) return std::to_string(reply.get<std::uint64_t>());
  if (reply.is_string()) return cut(reply.get<std::string>(), 64);
  return {};
}

BmcTask readJob(std::string uri, const Json& job) {
  BmcTask out;
  out.uri = std::move(uri);
  const auto state = text(job, "state");
  if (state == "action_success")
    out.state = TaskState::Completed;
  else if (state != "running" && state != "start" && state != "action_running")
    out.state = TaskState::Failed;
  out.message = text(job, "detail");
  return out;
}

}  // namespace

NvosSwitch::NvosSwitch(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed)
    : wiring_(wiring), node_(node), armed_(std::move(armed)) {
  moveTo(std::move(peer));
}

void NvosSwitch::moveTo(http::Peer peer) {
  peer_ = std::move(peer);
  peer_.caFile = wiring_.options.caFile;
}

// Whether it may leave is asked at the last moment: it may have waited long.
Task<Result<HttpReply>> NvosSwitch::once(Ask ask, Secret password) {
  if (ask.method != "GET" && !armed_())
    co_return Error{Errc::NotArmed, fmt::format("{} {}{}: this place is in observe mode; nothing was sent",
                                                ask.method, kRoot, ask.path)};
  const auto access = wiring_.access.loadAccess({node_, Endpoint::Os});
  if (!access) co_return access.error();
  auto peer = peer_;
  peer.pin = access->pin;
  HttpRequest request;
  request.method = ask.method;
  request.target = std::string(kRoot) + ask.path;
  request.headers.add("Accept", "application/json");
  request.headers.add("Authorization", "Basic " + toBase64(access->user + ":" + password.reveal()));
  if (!ask.body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = ask.body;
  http::SendOptions options;
  options.timeout = wiring_.options.timeout;
  options.connectTimeout = wiring_.options.connectTimeout;
  auto received = co_await wiring_.transport.send(std::move(peer), std::move(request), std::move(options));
  if (!received) {
    auto error = received.error();
    if (ask.method != "GET" && (error.code == Errc::Timeout || error.code == Errc::BadReply))
      error.outcomeUnknown = true;
    co_return error;
  }
  if (access->pin.empty() && !received->pin.empty() && received->reply.status != 401) {
    auto pinned = *access;
    pinned.pin = received->pin;
    (void)co_await wiring_.access.saveAccess({node_, Endpoint::Os}, std::move(pinned));
  }
  co_return std::move(received->reply);
}

Task<Result<Json>> NvosSwitch::ask(Ask ask) {
  const auto what = fmt::format("{} {}{}", ask.method, kRoot, ask.path);
  const bool read = ask.method == "GET", secret = ask.secretBody;
  auto reply = co_await withAccess(std::move(ask));
  if (!reply) co_return reply.error();
  if (reply->status < 200 || reply->status >= 300) {
    auto error = refusal(what, *reply);
    if (secret) error.what = fmt::format("{}: HTTP {}", what, reply->status);  // it may quote the password
    co_return error;
  }
  auto json = parseJson(reply->body);
  if (!json)
    co_return Error{Errc::BadReply, fmt::format("{}: {}", what, json.error().what), !read, reply->status};
  co_return json;
}

Task<Result<Json>> NvosSwitch::get(std::string path) {
  Ask reading{"GET", std::move(path), {}};
  co_return co_await ask(std::move(reading));
}

Task<Result<std::string>> NvosSwitch::act(std::string path, std::string action, Json parameters) {
  Ask writing{"POST", std::move(path),
              Json{{action, {{"state", "start"}, {"parameters", parameters}}}}.dump()};
  auto reply = co_await ask(std::move(writing));
  if (!reply) co_return reply.error();
  co_return jobOf(*reply);
}

Task<Result<SwitchIdentity>> NvosSwitch::signIn() {
  auto platform = co_await get("platform");
  if (!platform) co_return platform.error();
  co_return SwitchIdentity{text(*platform, "serial-number"), text(*platform, "product-name")};
}

Task<Result<std::vector<FirmwareItem>>> NvosSwitch::firmware() {
  auto list = co_await get("platform/firmware");
  if (!list) co_return list.error();
  std::vector<FirmwareItem> out;
  if (list->is_object())
    for (const auto& [component, details] : list->items())
      if (out.size() < 256)
        out.push_back(
            {.id = cut(component, 64), .version = text(details, "actual-firmware"), .updateable = true});
  auto image = co_await get("system/image");
  if (!image) co_return image.error();
  const auto current = text(*image, "current");
  auto build = text(*image, fmt::format("partition{}/build-id", current));
  if (build.empty())
    build = text(*image, fmt::format("partition{}", current));  // shapes differ between versions
  out.push_back({.id = std::string(kOwnImage), .version = std::move(build), .updateable = true});
  co_return out;
}

Task<Result<BmcState>> NvosSwitch::state() {
  auto reboot = co_await get("system/reboot");
  if (!reboot) co_return reboot.error();
  BmcState out;
  out.lastReset = text(*reboot, "reason/gentime");
  co_return out;
}

Task<Result<std::vector<BmcTask>>> NvosSwitch::tasks() {
  auto all = co_await get("action");
  if (!all) co_return all.error();
  std::vector<BmcTask> out;
  if (all->is_object())
    for (const auto& [id, job] : all->items())
      if (!fetches_.contains(id) && out.size() < 256)
        out.push_back(readJob(fmt::format("{}action/{}", kRoot, cut(id, 64)), job));
  co_return out;
}

Task<Result<BmcTask>> NvosSwitch::task(std::string uri) {
  if (!uri.starts_with(kRoot)) co_return Error{Errc::NotFound, uri + " is no action of NVOS"};
  auto job = co_await get(uri.substr(kRoot.size()));
  if (!job) co_return job.error();
  co_return readJob(std::move(uri), *job);
}

// The file is on the switch afterwards, and nothing is changed by it: a fetch may be repeated.
Task<Result<void>> NvosSwitch::fetch(std::string path, const PackageFile& package) {
  Json parameters{{"remote-url", package.url}};
  auto job = co_await act(path, "@fetch", std::move(parameters));
  if (!job) {
    auto error = job.error();
    error.outcomeUnknown = false;
    co_return error;
  }
  fetches_.insert(*job);
  const auto giveUp = wiring_.executor.now() + wiring_.options.fetchAtMost;
  for (;;) {
    co_await sleepFor(wiring_.executor, wiring_.options.fetchPoll);
    auto done = co_await task(fmt::format("{}action/{}", kRoot, *job));
    if (!done) co_return done.error();
    if (done->state == TaskState::Completed) co_return Result<void>{};
    if (done->state == TaskState::Failed)
      co_return Error{Errc::Busy, fmt::format("NVOS could not fetch {}: {}", package.name, done->message)};
    if (wiring_.executor.now() > giveUp)
      co_return Error{Errc::Timeout, fmt::format("NVOS did not fetch {} in time", package.name)};
  }
}

Task<Result<std::string>> NvosSwitch::pushFirmware(PackageFile package, std::vector<std::string> targets,
                                                   bool force) {
  if (!armed_()) co_return Error{Errc::NotArmed, "firmware: this place is in observe mode; nothing was sent"};
  if (targets.size() != 1)
    co_return Error{Errc::Unsupported,
                    "NVOS installs one component at a time: name it as the entry's only target"};
  const auto own = targets.front() == kOwnImage ? std::string("system/image")
                                                : "platform/firmware/" + targets.front();
  auto fetched = co_await fetch(own, package);
  if (!fetched) co_return fetched.error();
  Json parameters{{"force", force}};
  auto job = co_await act(fmt::format("{}/files/{}", own, package.name), "@install", std::move(parameters));
  if (!job) co_return job.error();
  co_return job->empty() ? std::string{} : fmt::format("{}action/{}", kRoot, *job);
}

Task<Result<void>> NvosSwitch::auxPowerCycle() {
  Json parameters{{"force", true}};
  auto job = co_await act("system", "@reboot", std::move(parameters));
  if (!job) co_return job.error();
  co_return Result<void>{};
}

Task<Result<void>> NvosSwitch::resetBmc() {
  co_return Error{Errc::Unsupported, "NVOS does not restart the BMC"};
}

// By a revision, as NVUE wants it: what it holds takes effect when it is applied. An empty one does nothing.
Task<Result<std::string>> NvosSwitch::openRevision() {
  Ask open{"POST", "revision", {}};
  auto revision = co_await ask(std::move(open));
  if (!revision) co_return revision.error();
  if (!revision->is_object() || revision->empty()) co_return Error{Errc::BadReply, "NVOS opened no revision"};
  co_return cut(revision->begin().key(), 64);
}

NvosSwitch::Ask NvosSwitch::application(const std::string& revision) {
  return {"PATCH", fmt::format("revision/{}", revision),
          Json{{"state", "apply"}, {"auto-prompt", {{"ays", "ays_yes"}}}}.dump()};
}

Task<Result<NvlinkControl>> NvosSwitch::nvlinkControl() {
  auto cluster = co_await get("cluster");
  if (!cluster) co_return cluster.error();
  NvlinkControl out;
  out.enabled = text(*cluster, "state") == "enabled";
  if (!out.enabled) co_return out;
  auto controller = co_await get("cluster/apps/nmx-controller");
  if (!controller) co_return controller.error();
  out.detail = text(*controller, "additional-info");
  out.configured = text(*controller, "status") == "ok" && out.detail == kConfigured;
  if (const auto reason = text(*controller, "reason"); !reason.empty()) out.detail += ": " + reason;
  co_return out;
}

Task<Result<void>> NvosSwitch::startNvlinkControl() {
  auto revision = co_await openRevision();
  if (!revision) {
    auto error = revision.error();
    error.outcomeUnknown = false;  // an empty one does nothing
    co_return error;
  }
  Ask stage{"PATCH", fmt::format("cluster?rev={}", *revision), Json{{"state", "enabled"}}.dump()};
  auto staged = co_await ask(std::move(stage));
  if (!staged) {
    auto error = staged.error();
    error.outcomeUnknown = false;  // nor does one that is not applied
    co_return error;
  }
  auto applied = co_await ask(application(*revision));
  if (!applied) co_return applied.error();
  co_return Result<void>{};
}

}  // namespace zellige::nvos
