// A BMC that answers whatever it likes, given to the real Redfish client and driver: every look of controller/bmc.hpp
// must come back with a value or an error that says why, after a bounded number of exchanges.
//
// The input is records, each "<n> <status> <body>" up to a byte 0x1E: the n-th exchange gets that reply instead of the
// small tray's that is built in. Status 0 is a broken connection.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "controller/base/log.hpp"
#include "controller/base/virtual_time.hpp"
#include "drivers/redfish/redfish_bmc.hpp"

namespace {

using namespace zellige;

constexpr int kMostExchanges = 20'000;  // of all looks together; the tray that is built in takes about 60

Json link(const std::string& uri) { return Json{{"@odata.id", uri}}; }

Json collection(const std::vector<std::string>& members) {
  Json out{{"Members", Json::array()}};
  for (const auto& uri : members) out["Members"].push_back(link(uri));
  return out;
}

/// Not a recorded machine: just enough links for the driver to follow every one of its paths.
const std::map<std::string, Json>& tray() {
  static const std::string v1 = "/redfish/v1/";
  static const std::map<std::string, Json> resources{
      {"/redfish/v1",
       {{"Vendor", "NVIDIA"},
        {"Product", "P3809"},
        {"RedfishVersion", "1.17.0"},
        {"UUID", "1d8e9c3e-0000-0000-0000-000000000001"},
        {"Systems", link(v1 + "Systems")},
        {"Managers", link(v1 + "Managers")},
        {"Chassis", link(v1 + "Chassis")},
        {"UpdateService", link(v1 + "UpdateService")},
        {"Tasks", link(v1 + "TaskService")},
        {"Links", {{"Sessions", link(v1 + "SessionService/Sessions")}}}}},
      {v1 + "Systems", collection({v1 + "Systems/System_0", v1 + "Systems/HGX_Baseboard_0"})},
      {v1 + "Systems/System_0",
       {{"Id", "System_0"},
        {"PowerState", "On"},
        {"LastResetTime", "2026-01-01T00:00:00+00:00"},
        {"BootProgress", {{"LastState", "OSRunning"}}},
        {"PowerRestorePolicy", "AlwaysOff"},
        {"Boot", {{"BootSourceOverrideTarget", "None"}, {"BootSourceOverrideEnabled", "Disabled"}}},
        {"Storage", link(v1 + "Systems/System_0/Storage")},
        {"Processors", link(v1 + "Systems/System_0/Processors")},
        {"Links", {{"Chassis", Json::array({link(v1 + "Chassis/Chassis_0")})}}}}},
      {v1 + "Systems/System_0/Storage", collection({v1 + "Systems/System_0/Storage/1"})},
      {v1 + "Systems/System_0/Storage/1",
       {{"Drives", Json::array({link(v1 + "Chassis/Chassis_0/Drives/N0")})}}},
      {v1 + "Chassis/Chassis_0/Drives/N0", {{"Id", "N0"}, {"SerialNumber", "D1"}, {"Model", "disk"}}},
      {v1 + "Systems/System_0/Processors", collection({})},
      {v1 + "Systems/HGX_Baseboard_0",
       {{"Id", "HGX_Baseboard_0"},
        {"Processors", link(v1 + "Systems/HGX_Baseboard_0/Processors")},
        {"Memory", link(v1 + "Systems/HGX_Baseboard_0/Memory")}}},
      {v1 + "Systems/HGX_Baseboard_0/Processors",
       collection({v1 + "Systems/HGX_Baseboard_0/Processors/GPU_0"})},
      {v1 + "Systems/HGX_Baseboard_0/Processors/GPU_0",
       {{"Id", "GPU_0"}, {"ProcessorType", "GPU"}, {"SerialNumber", "G1"}, {"Model", "GB200"}}},
      {v1 + "Systems/HGX_Baseboard_0/Memory", collection({})},
      {v1 + "Managers", collection({v1 + "Managers/BMC_0"})},
      {v1 + "Managers/BMC_0",
       {{"Id", "BMC_0"},
        {"LastResetTime", "2026-01-01T00:00:00+00:00"},
        {"FirmwareVersion", "25.01"},
        {"NetworkProtocol", link(v1 + "Managers/BMC_0/NetworkProtocol")},
        {"VirtualMedia", link(v1 + "Managers/BMC_0/VirtualMedia")}}},
      {v1 + "Managers/BMC_0/NetworkProtocol", {{"NTP", {{"NTPServers", {"10.0.0.1"}}}}}},
      {v1 + "Managers/BMC_0/VirtualMedia", collection({v1 + "Managers/BMC_0/VirtualMedia/USB1"})},
      {v1 + "Managers/BMC_0/VirtualMedia/USB1",
       {{"Inserted", false},
        {"MediaTypes", {"CD"}},
        {"Actions", {{"#VirtualMedia.InsertMedia", {{"target", v1 + "Managers/BMC_0/insert"}}}}}}},
      {v1 + "Chassis", collection({v1 + "Chassis/Chassis_0"})},
      {v1 + "Chassis/Chassis_0",
       {{"Id", "Chassis_0"},
        {"SerialNumber", "T1"},
        {"NetworkAdapters", link(v1 + "Chassis/Chassis_0/NetworkAdapters")},
        {"ThermalSubsystem", link(v1 + "Chassis/Chassis_0/ThermalSubsystem")},
        {"Oem", {{"Nvidia", {{"BackgroundCopyStatus", "Completed"}}}}}}},
      {v1 + "Chassis/Chassis_0/NetworkAdapters", collection({v1 + "Chassis/Chassis_0/NetworkAdapters/1"})},
      {v1 + "Chassis/Chassis_0/NetworkAdapters/1", {{"Id", "1"}, {"SerialNumber", "N1"}}},
      {v1 + "Chassis/Chassis_0/ThermalSubsystem", {{"LeakDetection", link(v1 + "Leak")}}},
      {v1 + "Leak", {{"LeakDetectors", link(v1 + "Leak/Detectors")}}},
      {v1 + "Leak/Detectors", collection({v1 + "Leak/Detectors/1"})},
      {v1 + "Leak/Detectors/1", {{"DetectorState", "OK"}}},
      {v1 + "UpdateService", {{"FirmwareInventory", link(v1 + "UpdateService/FirmwareInventory")}}},
      {v1 + "UpdateService/FirmwareInventory", collection({v1 + "UpdateService/FirmwareInventory/FW_BMC_0"})},
      {v1 + "UpdateService/FirmwareInventory/FW_BMC_0",
       {{"Id", "FW_BMC_0"}, {"Version", "GB200Nvl-25.01-8"}, {"Updateable", true}}},
      {v1 + "TaskService", {{"Tasks", link(v1 + "TaskService/Tasks")}}},
      {v1 + "TaskService/Tasks", collection({v1 + "TaskService/Tasks/0"})},
      {v1 + "TaskService/Tasks/0", {{"TaskState", "Running"}, {"PercentComplete", 20}}},
  };
  return resources;
}

class HostileBmc final : public http::Transport {
 public:
  HostileBmc(Executor& executor, std::string_view script) : executor_(executor) {
    while (!script.empty()) {
      const auto end = script.find('\x1e');
      const auto record = script.substr(0, end);
      script = end == std::string_view::npos ? std::string_view{} : script.substr(end + 1);
      char* after = nullptr;
      const std::string text(record.substr(0, 16));
      const auto n = std::strtoul(text.c_str(), &after, 10);
      const auto status = std::strtoul(after, &after, 10);
      const auto used = static_cast<std::size_t>(after - text.c_str());
      if (n >= 200 || status > 599) continue;
      replies_[n] = {static_cast<int>(status), std::string(record.substr(std::min(record.size(), used)))};
    }
  }

  Task<Result<http::Received>> send(http::Peer, HttpRequest request, http::SendOptions) override {
    const auto n = exchanges_++;
    if (n > kMostExchanges) std::abort();  // it leads the client round in circles
    co_await sleepFor(executor_, 1ms);
    HttpReply reply;
    if (const auto scripted = replies_.find(n); scripted != replies_.end()) {
      reply.status = scripted->second.first;
      reply.body = scripted->second.second;
      if (reply.status == 0)
        co_return Error{Errc::Unreachable, "the connection broke", request.method != "GET"};
    } else if (request.method == "POST") {
      reply.status = 201;
      reply.headers.add("X-Auth-Token", "token");
      reply.headers.add("Location", "/redfish/v1/SessionService/Sessions/1");
      reply.body = "{}";
    } else {
      auto path = std::string(request.path());
      if (path.size() > 1 && path.back() == '/') path.pop_back();
      const auto known = tray().find(path);
      reply.status = known == tray().end() ? 404 : 200;
      reply.body = known == tray().end() ? "{}" : known->second.dump();
    }
    co_return http::Received{std::move(reply), "pin"};
  }

 private:
  Executor& executor_;
  std::map<std::size_t, std::pair<int, std::string>> replies_;
  std::size_t exchanges_ = 0;
};

class Access final : public AccessStore {
 public:
  Access() {
    stored_.user = "root";
    stored_.password = Secret{"password"};
  }
  Result<BmcAccess> loadAccess(AccessKey) override { return stored_; }
  Task<Result<void>> saveAccess(AccessKey, BmcAccess access) override {
    ++access.version;
    stored_ = std::move(access);
    co_return Result<void>{};
  }

 private:
  BmcAccess stored_;
};

template <class T>
void judge(const Result<T>& result) {
  if (!result && result.error().what.empty()) std::abort();  // an error says why
}

Task<void> lookAtEverything(Bmc& bmc) {
  judge(co_await bmc.identify());
  judge(co_await bmc.signIn());
  const auto inventory = co_await bmc.inventory();
  judge(inventory);
  judge(co_await bmc.firmware());
  judge(co_await bmc.host());
  judge(co_await bmc.state());
  judge(co_await bmc.settings());
  judge(co_await bmc.tasks());
  judge(co_await bmc.media());
  judge(co_await bmc.bootOverride());
  judge(co_await bmc.leakDetected());
  judge(co_await bmc.backgroundCopyDone());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::setLevel(log::Level::Off);
  VirtualTime time;
  VirtualExecutor executor(time);
  HostileBmc machine(executor, {reinterpret_cast<const char*>(data), size});
  Access access;
  const redfish::Wiring wiring{machine, access, executor, {}};
  http::Peer peer;
  peer.address = "10.0.0.1";
  redfish::RedfishBmc bmc(wiring, NodeId{1}, peer, [] { return false; });
  executor.spawn(lookAtEverything(bmc));
  while (executor.spawnedCount() > 0 && time.runOne()) {
  }
  if (executor.spawnedCount() > 0) std::abort();  // it waits for ever
  executor.shutDown();
  return 0;
}
