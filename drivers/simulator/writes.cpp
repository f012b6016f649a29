#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/reply.hpp"
#include "drivers/simulator/resets.hpp"
#include "drivers/simulator/server.hpp"

namespace zellige::sim::server {

namespace {

HttpReply missing(std::string_view path) {
  return errorReply(404, "ResourceNotFound",
                    fmt::format("The requested resource named '{}' was not found.", path));
}
HttpReply unknownProperty(std::string_view key) {
  return errorReply(400, "PropertyUnknown",
                    fmt::format("The property {} is not in the list of valid properties.", key));
}
HttpReply badValue(std::string_view key) {
  return errorReply(400, "PropertyValueNotInList", fmt::format("The value of {} is not acceptable.", key));
}

Result<Json> readBody(const HttpRequest& request) {
  if (request.body.empty()) return Json::object();
  auto json = parseJson(request.body, {.bytes = 1u << 20, .depth = 8, .values = 1'000});
  if (json && !json->is_object()) return Error{Errc::Invalid, "not an object"};
  return json;
}

// --- PATCH

HttpReply patchAccount(World& w, Machine& m, const Json& body) {
  for (const auto& [key, value] : body.items())
    if (key != "Password") return unknownProperty(key);
  const auto password = readString(body, "Password");
  const auto& rules = *m.profile;
  if (!password || password->size() < rules.minPassword || password->size() > rules.maxPassword)
    return errorReply(
        400, "PropertyValueFormatError",
        fmt::format("The password must have {} to {} characters.", rules.minPassword, rules.maxPassword));
  w.record(m, ActKind::PasswordSet, "root", {},
           *password == m.password ? "this password is already set" : std::string());
  m.nextPassword = *password;
  w.later(m, Track::Password, w.times().passwordSet, [](World&, Machine& machine) {
    machine.password = std::move(machine.nextPassword);
    machine.passwordExpired = false;
    machine.sessions = {};
  });
  return success();
}

HttpReply patchBoot(World& w, Machine& m, const Json& body) {
  const auto* boot = at(body, "Boot");
  if (!boot || !boot->is_object() || body.size() != 1) return unknownProperty("other than Boot");
  auto target = m.bootTarget;
  auto enabled = m.bootEnabled;
  for (const auto& [key, value] : boot->items()) {
    const auto text = value.is_string() ? value.get<std::string>() : std::string();
    if (key == "BootSourceOverrideTarget") {
      const auto read = fromName<BootTarget>(text);
      if (!read) return badValue(key);
      target = *read;
    } else if (key == "BootSourceOverrideEnabled") {
      const auto read = fromName<BootEnabled>(text);
      if (!read) return badValue(key);
      enabled = *read;
    } else {
      return unknownProperty(key);
    }
  }
  m.bootTarget = target;
  m.bootEnabled = enabled;
  m.delivered.restart = false;  // a restart has a new reason now
  w.record(m, ActKind::BootOverride, nameOf(target));
  return noContent();
}

HttpReply patchSystem(World& w, Machine& m, const Json& body) {
  std::optional<RestorePolicy> policy;
  std::optional<bool> led;
  for (const auto& [key, value] : body.items()) {
    if (key == "PowerRestorePolicy") {
      policy = fromName<RestorePolicy>(value.is_string() ? value.get<std::string>() : std::string());
      if (!policy) return badValue(key);
    } else if (key == "LocationIndicatorActive" && value.is_boolean()) {
      led = value.get<bool>();
    } else {
      return unknownProperty(key);  // Boot belongs to the SettingsObject (FACTS 3)
    }
  }
  if (policy) {
    m.restorePolicy = *policy;
    w.record(m, ActKind::Settings, "PowerRestorePolicy", nameOf(*policy));
  }
  if (led) {
    m.locationLed = *led;
    w.record(m, ActKind::OtherWrite, "LocationIndicatorActive");
  }
  return noContent();
}

HttpReply patchChassis(World& w, Machine& m, const Json& body) {
  const auto led = readBool(body, "LocationIndicatorActive");
  if (!led || body.size() != 1) return unknownProperty("other than LocationIndicatorActive");
  m.locationLed = *led;
  w.record(m, ActKind::OtherWrite, "LocationIndicatorActive");
  return noContent();
}

/// NTP servers as strings, a port as a number: everything is checked before anything is set.
HttpReply patchNetwork(World& w, Machine& m, const Json& body) {
  auto ntp = m.ntp;
  auto ntpEnabled = m.ntpEnabled;
  for (const auto& [key, value] : body.items())
    if (key != "NTP" && key != "Oem") return unknownProperty(key);
  if (const auto* part = at(body, "NTP")) {
    if (const auto* servers = at(*part, "NTPServers")) {
      ntp.clear();
      for (const auto& server : *servers) {
        if (!server.is_string() || ntp.size() == 4 || server.get_ref<const std::string&>().size() > 64)
          return badValue("NTPServers");
        ntp.push_back(server.get<std::string>());
      }
    }
    ntpEnabled = readBool(*part, "ProtocolEnabled").value_or(ntpEnabled);
  }
  auto address = m.syslogAddress;
  std::int64_t port = m.syslogPort;
  bool enabled = m.syslogEnabled, udp = m.syslogUdp;
  if (const auto* syslog = at(body, "Oem/Nvidia/Rsyslog")) {
    address = readString(*syslog, "Address").value_or(address);
    port = readInt(*syslog, "Port").value_or(port);
    if (const auto state = readString(*syslog, "State")) enabled = *state == "Enabled";
    if (const auto transport = readString(*syslog, "TransportProtocol")) udp = *transport == "UDP";
    if (port < 0 || port > 65'535 || address.size() > 64) return badValue("Rsyslog");
  }
  m.ntp = std::move(ntp);
  m.ntpEnabled = ntpEnabled;
  m.syslogAddress = std::move(address);
  m.syslogPort = static_cast<std::uint16_t>(port);
  m.syslogEnabled = enabled;
  m.syslogUdp = udp;
  w.record(m, ActKind::Settings, "NetworkProtocol");
  return noContent();
}

// --- Actions

HttpReply insertMedia(World& w, Machine& m, const Json& body, std::size_t slot) {
  for (const auto& [key, value] : body.items())
    if (key != "Image" && key != "Inserted" && key != "WriteProtected" && key != "TransferProtocolType" &&
        key != "TransferMethod" && key != "UserName" && key != "Password")
      return badParameter(key);
  const auto image = readString(body, "Image").value_or("");
  if (!(image.starts_with("http://") || image.starts_with("https://")) || image.size() > 512)
    return badParameter("Image");
  w.record(m, ActKind::MediaInsert, slot == 0 ? "USB1" : "USB2", {},
           m.mediaInserted() ? "media is inserted already" : std::string());
  if (!m.media[slot].empty())
    return errorReply(503, "ResourceInUse", "The change to the requested resource failed: it is in use.");
  m.media[slot] = image;
  m.mediaShownFrom = w.now() + w.times().mediaShown;
  m.delivered.restart = false;  // a restart has a new reason now
  return noContent();
}

HttpReply ejectMedia(World& w, Machine& m, std::size_t slot) {
  w.record(m, ActKind::MediaEject, slot == 0 ? "USB1" : "USB2");
  if (m.media[slot].empty()) return errorReply(400, "ResourceInUse", "No media is inserted.");
  m.media[slot] = {};
  return noContent();
}

// --- Power shelf

HttpReply patchShelf(World& w, Machine& m, const Json& body) {
  const auto led = readString(body, "IndicatorLED");
  if (!led || body.size() != 1) return unknownProperty("other than IndicatorLED");
  if (*led != "Off" && *led != "Blinking" && *led != "Lit") return badValue("IndicatorLED");
  m.locationLed = *led != "Off";
  w.record(m, ActKind::OtherWrite, "IndicatorLED");
  return noContent();
}

HttpReply postToShelf(World& w, Machine& m, std::string_view path, const Json& body) {
  for (const std::string_view chassis : {"powershelf", "PowerShelf_0"}) {
    const auto actions = fmt::format("/redfish/v1/Chassis/{}/Actions/Chassis.", chassis);
    if (path == actions + "On") return switchShelf(w, m, true);
    if (path == actions + "ForceOff") return switchShelf(w, m, false);
  }
  if (path == "/redfish/v1/Managers/bmc/Actions/Manager.Reset") return resetManager(w, m, body, false);
  return missing(path);
}

using Handler = HttpReply (*)(World&, Machine&, const Json&);
using Patches = std::span<const std::pair<std::string_view, Handler>>;

Patches patchesOf(MachineKind kind) {
  static constexpr std::pair<std::string_view, Handler> kTray[] = {
      {"/redfish/v1/AccountService/Accounts/root", patchAccount},
      {"/redfish/v1/Systems/System_0/Settings", patchBoot},
      {"/redfish/v1/Systems/System_0", patchSystem},
      {"/redfish/v1/Chassis/Chassis_0", patchChassis},
      {"/redfish/v1/Managers/BMC_0/NetworkProtocol", patchNetwork},
  };
  static constexpr std::pair<std::string_view, Handler> kShelf[] = {
      {"/redfish/v1/AccountService/Accounts/root", patchAccount},
      {"/redfish/v1/Chassis/powershelf", patchShelf},
      {"/redfish/v1/Chassis/PowerShelf_0", patchShelf},
      {"/redfish/v1/Managers/bmc/NetworkProtocol", patchNetwork},
  };
  static constexpr std::pair<std::string_view, Handler> kSwitch[] = {
      {"/redfish/v1/AccountService/Accounts/root", patchAccount},
      {"/redfish/v1/Managers/BMC_0/NetworkProtocol", patchNetwork},
  };
  switch (kind) {
    case MachineKind::ComputeTray: return kTray;
    case MachineKind::SwitchTray: return kSwitch;
    case MachineKind::PowerShelf: return kShelf;
  }
  return {};
}

}  // namespace

HttpReply patch(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  for (const auto& [known, handler] : patchesOf(m.kind())) {
    if (known != path) continue;
    const auto body = readBody(request);
    if (!body) return errorReply(400, "MalformedJSON", "The request body could not be read.");
    if (body->empty()) return errorReply(400, "EmptyJSON", "The request body is empty.");
    return handler(w, m, *body);
  }
  return missing(path);
}

HttpReply post(World& w, Machine& m, std::string_view path, const HttpRequest& request) {
  if (m.kind() == MachineKind::SwitchTray && path.starts_with("/redfish/v1/UpdateService"))
    return errorReply(400, "ActionNotSupported", "NVOS installs this tray's firmware.");  // *est*
  const std::string_view pushUri = m.isTray() ? "/redfish/v1/UpdateService/update-multipart"
                                              : "/redfish/v1/UpdateService/update";
  if (path == pushUri) return firmware::push(w, m, request);
  const auto body = readBody(request);
  if (!body) return errorReply(400, "MalformedJSON", "The request body could not be read.");
  if (m.kind() == MachineKind::PowerShelf) return postToShelf(w, m, path, *body);
  if (path == "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset") return resetSystem(w, m, *body);
  if (path == "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset")
    return auxPowerReset(w, m, *body);
  if (path == "/redfish/v1/Managers/BMC_0/Actions/Manager.Reset") return resetManager(w, m, *body, false);
  if (path == "/redfish/v1/Managers/HGX_BMC_0/Actions/Manager.Reset" && m.hgxUp)
    return resetManager(w, m, *body, true);
  for (std::size_t slot = 0; slot < m.media.size(); ++slot) {
    const auto actions = fmt::format("/redfish/v1/Managers/BMC_0/VirtualMedia/USB{}/Actions/VirtualMedia.",
                                     slot + 1);
    if (path == actions + "InsertMedia") return insertMedia(w, m, *body, slot);
    if (path == actions + "EjectMedia") return ejectMedia(w, m, slot);
  }
  return missing(path);
}

}  // namespace zellige::sim::server
