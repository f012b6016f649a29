// BMC settings as desired state: NTP, remote syslog, PowerRestorePolicy. What the wish leaves empty is not touched.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/redfish/body.hpp"
#include "drivers/redfish/redfish_bmc.hpp"
#include "drivers/redfish/reply.hpp"

namespace zellige::redfish {

namespace {

void readProtocols(const View& protocols, Syslog syslog, BmcSettings& out) {
  if (protocols.flag("NTP/ProtocolEnabled").value_or(true))
    for (auto& server : protocols.texts("NTP/NTPServers"))
      if (!server.empty()) out.ntp.push_back(std::move(server));  // some pad the list with ""
  switch (syslog) {
    case Syslog::None: return;
    case Syslog::NvidiaRsyslog: {
      const auto rsyslog = protocols.inside("Oem/Nvidia/Rsyslog");
      if (rsyslog.trimmed("State") != "Enabled") return;
      out.syslogAddress = rsyslog.trimmed("Address");
      out.syslogPort = static_cast<int>(
          std::clamp<std::int64_t>(rsyslog.integer("Port").value_or(0), 0, 65535));
      return;
    }
  }
}

Json protocolChange(const BmcSettings& is, const BmcSettings& wanted) {
  Json change = Json::object();
  if (!wanted.ntp.empty() && is.ntp != wanted.ntp)
    change["NTP"] = {{"NTPServers", wanted.ntp}, {"ProtocolEnabled", true}};
  const bool sameAddress = is.syslogAddress == wanted.syslogAddress;
  const bool samePort = wanted.syslogPort == 0 || is.syslogPort == wanted.syslogPort;
  if (!wanted.syslogAddress.empty() && (!sameAddress || !samePort)) {
    Json rsyslog{{"State", "Enabled"}, {"Address", wanted.syslogAddress}};
    if (wanted.syslogPort != 0) rsyslog["Port"] = wanted.syslogPort;
    change["Oem"]["Nvidia"]["Rsyslog"] = std::move(rsyslog);
  }
  return change;
}

}  // namespace

Task<Result<BmcSettings>> RedfishBmc::settings() {
  BmcSettings out;
  if (known().networkProtocol.empty()) {
    auto uri = co_await managerUri();
    if (!uri) co_return uri.error();
    auto manager = co_await client_.get(*uri);
    if (!manager) co_return manager.error();
    learn([&](Known& k) { k.networkProtocol = manager->view().link("NetworkProtocol"); });
  }
  if (!known().networkProtocol.empty()) {
    auto protocols = co_await client_.get(known().networkProtocol);
    if (!protocols) co_return protocols.error();
    readProtocols(protocols->view(), platform().syslog, out);
  }
  auto host = co_await hostUri();
  if (!host && host.error().code != Errc::NotFound) co_return host.error();
  if (host) {
    auto system = co_await client_.get(*host);
    if (!system) co_return system.error();
    out.powerRestorePolicy = system->view().trimmed("PowerRestorePolicy");
  }
  co_return out;
}

Task<Result<void>> RedfishBmc::setSettings(BmcSettings wanted) {
  if (auto ok = client_.armed("BMC settings"); !ok) co_return ok.error();
  auto is = co_await settings();
  if (!is) co_return is.error();
  if (!wanted.syslogAddress.empty() && platform().syslog == Syslog::None)
    co_return Error{Errc::Unsupported,
                    fmt::format("platform {}: no known way to set remote syslog", platform().name)};
  if (const auto change = protocolChange(*is, wanted); !change.empty()) {
    if (known().networkProtocol.empty())
      co_return Error{Errc::Unsupported, "the manager names no NetworkProtocol"};
    auto sent = co_await client_.patch(known().networkProtocol, change.dump(), platform().anyMatch);
    if (!sent) co_return sent.error();
  }
  if (!wanted.powerRestorePolicy.empty() && wanted.powerRestorePolicy != is->powerRestorePolicy) {
    auto host = co_await hostUri();
    if (!host) co_return host.error();
    auto sent = co_await client_.patch(*host, bodyOf("PowerRestorePolicy", wanted.powerRestorePolicy),
                                       platform().anyMatch);
    if (!sent) co_return sent.error();
  }
  co_return Result<void>{};
}

}  // namespace zellige::redfish
