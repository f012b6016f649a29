// Power, resets, leaks and the locate light.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/redfish/body.hpp"
#include "drivers/redfish/redfish_bmc.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

HostPower readPower(const View& system) {
  const auto state = system.trimmed("PowerState");
  if (state == "On") return HostPower::On;
  if (state == "Off") return HostPower::Off;
  if (state == "PoweringOn") return HostPower::PoweringOn;
  if (state == "PoweringOff") return HostPower::PoweringOff;
  return HostPower::Unknown;
}

std::vector<std::string> namesOf(const Platform& platform, HostReset how) {
  std::vector<std::string> names;
  for (const auto& row : platform.resets)
    if (row.how == how)
      for (const auto name : row.names)
        if (!name.empty()) names.emplace_back(name);
  return names;
}

// From a chassis, link by link.
constexpr std::array<const char*, 3> wayToDetectors{"ThermalSubsystem", "LeakDetection", "LeakDetectors"};

/// What the host is after this reset, where that can be told from PowerState alone.
std::optional<HostPower> powerAfter(HostReset how) {
  switch (how) {
    case HostReset::On: return HostPower::On;
    case HostReset::ForceOff:
    case HostReset::GracefulShutdown: return HostPower::Off;
    case HostReset::ForceRestart:
    case HostReset::PowerCycle: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Task<Result<HostState>> RedfishBmc::host() {
  auto uri = co_await hostUri();
  if (!uri) co_return uri.error();
  auto system = co_await client_.get(*uri);
  if (!system) co_return system.error();
  const auto view = system->view();
  HostState state;
  state.power = readPower(view);
  state.bootProgress = view.trimmed("BootProgress/LastState");
  if (state.bootProgress == "OEM")
    state.bootProgress = view.trimmed("BootProgress/OemLastState");  // BlueField
  state.lastReset = view.trimmed("LastResetTime");
  co_return state;
}

// Sends an action with the first of `resetTypes` that the machine offers, inline or behind @Redfish.ActionInfo.
Task<Result<void>> RedfishBmc::act(Document resource, std::string action, std::vector<std::string> resetTypes) {
  const auto view = resource.view().inside("Actions/" + action);
  const auto target = view.link("target");
  if (target.empty())
    co_return Error{Errc::Unsupported, fmt::format("{} offers no {}", resource.uri, action)};
  auto allowed = view.texts("ResetType@Redfish.AllowableValues");
  if (const auto info = view.link("@Redfish.ActionInfo"); allowed.empty() && !info.empty()) {
    auto document = co_await client_.get(info);
    if (!document && !isNotThere(document.error())) co_return document.error();
    if (document)
      for (const auto& parameter : document->view().list("Parameters"))
        if (parameter.trimmed("Name") == "ResetType") allowed = parameter.texts("AllowableValues");
  }
  const auto offered = [&](const std::string& name) {
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  };
  const auto chosen = std::find_if(resetTypes.begin(), resetTypes.end(), offered);
  if (chosen == resetTypes.end())
    co_return Error{Errc::Unsupported,
                    fmt::format("{} {} offers only {}", resource.uri, action, fmt::join(allowed, ", "))};
  auto sent = co_await client_.post(target, bodyOf("ResetType", *chosen));
  if (!sent) co_return sent.error();
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::reset(HostReset how) {
  if (auto ok = client_.armed(fmt::format("host reset {}", nameOf(how))); !ok) co_return ok.error();
  auto uri = co_await hostUri();
  if (!uri) co_return uri.error();
  auto system = co_await client_.get(*uri);
  if (!system) co_return system.error();
  auto done = co_await act(*system, "#ComputerSystem.Reset", namesOf(platform(), how));
  const auto wanted = powerAfter(how);
  if (done || !wanted || (done.error().code != Errc::Rejected && done.error().code != Errc::Conflict))
    co_return done;
  // Already in the asked state: 409 on Dell, 400 elsewhere (FACTS 2).
  auto now = co_await client_.get(*uri);
  if (now && readPower(now->view()) == *wanted) co_return Result<void>{};
  co_return done;
}

Task<Result<void>> RedfishBmc::auxPowerCycle() {
  if (auto ok = client_.armed("aux power cycle"); !ok) co_return ok.error();
  auto host = co_await hostUri();
  if (!host) co_return host.error();
  if (platform().auxAction.empty())
    co_return Error{Errc::Unsupported, fmt::format("platform {} has no aux power cycle", platform().name)};
  if (platform().auxNeedsHostOff) {
    auto system = co_await client_.get(*host);
    if (!system) co_return system.error();
    if (const auto power = readPower(system->view()); power == HostPower::On || power == HostPower::PoweringOn)
      co_return Error{Errc::Conflict, "aux power cycle: the host must be off first; nothing was sent"};
  }
  auto all = co_await client_.members(known().chassis, true);
  if (!all) co_return all.error();
  const auto action = "Oem/" + std::string(platform().auxAction);
  std::vector<std::string> types;
  types.emplace_back(platform().auxType);
  for (const auto& chassis : all->found)
    if (chassis.view().has("Actions/" + action)) co_return co_await act(chassis, action, types);
  if (const auto* why = all->unanswered()) co_return *why;
  co_return Error{Errc::Unsupported, fmt::format("no chassis offers {}", platform().auxAction)};
}

Task<Result<void>> RedfishBmc::resetBmc() {
  if (auto ok = client_.armed("BMC reset"); !ok) co_return ok.error();
  auto uri = co_await managerUri();
  if (!uri) co_return uri.error();
  auto manager = co_await client_.get(*uri);
  if (!manager) co_return manager.error();
  std::vector<std::string> names(platform().bmcResets.begin(), platform().bmcResets.end());
  co_return co_await act(*manager, "#Manager.Reset", std::move(names));
}

Task<Result<void>> RedfishBmc::findLeakDetectors() {
  if (known().leaksFound) co_return Result<void>{};
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  auto chassis = co_await client_.links(known().chassis);
  if (!chassis) co_return chassis.error();
  std::vector<std::string> detectors;
  for (const auto& uri : *chassis) {
    const auto& only = platform().leakChassis;
    if (!only.empty() && lastSegment(uri) != only) continue;
    auto link = uri;
    for (const auto* next : wayToDetectors) {
      auto document = co_await client_.get(link);
      if (!document && !isNotThere(document.error())) co_return document.error();
      link.clear();
      if (document) link = document->view().link(next);
      if (link.empty()) break;
    }
    if (!link.empty()) detectors.push_back(std::move(link));
  }
  if (!platform().leakChassis.empty() && detectors.empty())
    co_return Error{Errc::NotFound, fmt::format("chassis {} names no leak detectors", platform().leakChassis)};
  learn([&](Known& k) {
    k.leakDetectors = std::move(detectors);
    k.leaksFound = true;
  });
  co_return Result<void>{};
}

Task<Result<bool>> RedfishBmc::leakDetected() {
  auto found = co_await findLeakDetectors();
  if (!found) co_return found.error();
  const auto collections = known().leakDetectors;
  std::string silent;
  for (const auto& uri : collections) {
    auto detectors = co_await client_.members(uri);
    if (!detectors) co_return detectors.error();
    for (const auto& detector : detectors->found) {
      const auto state = detector.view().trimmed("DetectorState");
      if (!state.empty() && state != "OK") co_return true;
      if (state.empty()) silent = detector.uri;
    }
    if (!detectors->missing.empty()) silent = detectors->missing.front().uri;
  }
  // One that does not answer cannot vouch for a dry tray.
  if (!silent.empty())
    co_return Error{Errc::BadReply, fmt::format("leak detector {} tells no state", silent)};
  co_return false;
}

// All roots of trust are read once; after that only those that were still copying, until none is.
Task<Result<bool>> RedfishBmc::backgroundCopyDone() {
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  constexpr auto status = "Oem/Nvidia/BackgroundCopyStatus";
  if (copying_.empty()) {
    auto chassis = co_await client_.members(known().chassis, true);
    if (!chassis) co_return chassis.error();
    for (const auto& document : chassis->found)
      if (const auto now = document.view().trimmed(status); !now.empty() && now != "Completed")
        copying_.push_back(document.uri);
    if (const auto* why = chassis->unanswered(); why && copying_.empty()) co_return *why;
    co_return copying_.empty();
  }
  while (!copying_.empty()) {
    const auto uri = copying_.back();
    auto document = co_await client_.get(uri);
    if (!document) co_return document.error();
    if (document->view().trimmed(status) != "Completed") co_return false;
    copying_.pop_back();
  }
  co_return true;
}

Task<Result<std::string>> RedfishBmc::shelfUri() {
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  for (const auto& uri : known().chassisLinks)
    if (lastSegment(uri) == platform().shelfChassis) co_return uri;
  co_return Error{Errc::Unsupported, fmt::format("platform {}: no power shelf", platform().name)};
}

Task<Result<bool>> RedfishBmc::feeds() {
  auto uri = co_await shelfUri();
  if (!uri) co_return uri.error();
  auto chassis = co_await client_.get(*uri);
  if (!chassis) co_return chassis.error();
  const auto state = chassis->view().trimmed("PowerState");
  if (state.empty()) co_return Error{Errc::BadReply, fmt::format("{} tells no PowerState", *uri)};
  co_return state == "On";
}

Task<Result<void>> RedfishBmc::startFeeding() {
  if (auto ok = client_.armed("switch the shelf on"); !ok) co_return ok.error();
  auto uri = co_await shelfUri();
  if (!uri) co_return uri.error();
  auto chassis = co_await client_.get(*uri);
  if (!chassis) co_return chassis.error();
  std::vector<std::string> types;
  types.emplace_back("On");
  co_return co_await act(*chassis, "#Chassis.On", std::move(types));
}

Task<Result<void>> RedfishBmc::setLocateLed(bool on) {
  if (auto ok = client_.armed("locate light"); !ok) co_return ok.error();
  auto uri = co_await hostUri();
  if (!uri && uri.error().code != Errc::NotFound) co_return uri.error();
  if (!uri) {  // a power shelf: its chassis has the light
    auto chassis = co_await client_.links(known().chassis);
    if (!chassis) co_return chassis.error();
    if (chassis->empty()) co_return Error{Errc::Unsupported, "nothing here has a locate light"};
    uri = chassis->front();
  }
  auto resource = co_await client_.get(*uri);
  if (!resource) co_return resource.error();
  Json body;
  if (resource->view().has("LocationIndicatorActive")) {
    body["LocationIndicatorActive"] = on;
  } else if (resource->view().has("IndicatorLED")) {
    body["IndicatorLED"] = on ? "Blinking" : "Off";
  } else {
    co_return Error{Errc::Unsupported, fmt::format("{} has no locate light", *uri)};
  }
  auto sent = co_await client_.patch(*uri, body.dump(), platform().anyMatch);
  if (!sent) co_return sent.error();
  co_return Result<void>{};
}

}  // namespace zellige::redfish
