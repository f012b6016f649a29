// What the simulator's tests share: a fleet in virtual time, a plain client of one BMC, and the listener that
// hosts report to. Nothing here comes from drivers/redfish: a simulator tested with its own client would
// agree with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controller/base/digest.hpp"
#include "controller/base/virtual_time.hpp"
#include "controller/protocol/agent.hpp"
#include "drivers/simulator/fleet.hpp"
#include "drivers/simulator/package.hpp"
#include "drivers/simulator/profile.hpp"
#include "drivers/simulator/site.hpp"

namespace zellige::sim {

inline constexpr std::string_view kComputeTargets = R"(["/redfish/v1/Chassis/HGX_Chassis_0"])";
inline const std::string kSystem = "/redfish/v1/Systems/System_0";
inline const std::string kManager = "/redfish/v1/Managers/BMC_0";
inline const std::string kAux = "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset";
inline const std::string kSlot = "/redfish/v1/Managers/BMC_0/VirtualMedia/USB1";
inline const std::string kInventory = "/redfish/v1/UpdateService/FirmwareInventory/";
inline const std::string kTask = "/redfish/v1/TaskService/Tasks/";

/// Where the recorded trees are: beside the checkout, or where the environment's ZELLIGE_SHARED_DIR says.
inline std::filesystem::path recordedMachines() {
  const char* elsewhere = std::getenv("ZELLIGE_SHARED_DIR");
  return std::filesystem::path(elsewhere != nullptr ? elsewhere : ZELLIGE_SHARED_DIR) / "redfish" / "mockups";
}

/// Virtual time with a fleet on it.
struct Hall {
  explicit Hall(FleetOptions options = {}) : executor(time), fleet(executor, small(std::move(options))) {}

  static FleetOptions small(FleetOptions options) {
    if (options.trays == 18) options.trays = 2;
    return options;
  }
  void pass(Duration d) {
    const auto until = time.now() + d;
    executor.at(until, [] {});
    while (time.nextDue() && *time.nextDue() <= until) time.runOne();
  }

  VirtualTime time;
  VirtualExecutor executor;
  Fleet fleet;
};

/// One BMC, spoken to in plain HTTP messages.
class Bmc {
 public:
  Bmc(Hall& hall, int machine) : hall_(hall), id_{machine} {}

  Delivery send(std::string method, std::string target, std::string body = {}, Headers headers = {},
                bool reused = false) {
    Arrival arrival{
        {std::move(method), std::move(target), std::move(headers), std::move(body)}, ++connection_, reused};
    if (!token_.empty()) arrival.request.headers.add("X-Auth-Token", token_);
    return hall_.fleet.exchange(id_, arrival);
  }
  Delivery get(std::string target) { return send("GET", std::move(target)); }
  Delivery patch(std::string target, std::string body) {
    return send("PATCH", std::move(target), std::move(body));
  }
  /// And waits until it is set, as the reply does.
  int setPassword(const std::string& password) {
    const auto reply = patch("/redfish/v1/AccountService/Accounts/root", Json{{"Password", password}}.dump());
    if (reply.reply.status == 200) hall_.pass(reply.latency);
    return reply.reply.status;
  }
  Delivery post(std::string target, std::string body = "{}") {
    return send("POST", std::move(target), std::move(body));
  }
  Json json(std::string target) { return Json::parse(get(std::move(target)).reply.body, nullptr, false); }

  int login(std::string password) {
    token_.clear();
    const auto d = post("/redfish/v1/SessionService/Sessions",
                        Json{{"UserName", "root"}, {"Password", password}}.dump());
    token_ = d.reply.headers.get("X-Auth-Token");
    return d.reply.status;
  }
  /// Signs in with the factory password and sets the site's.
  void takeOver(const std::string& password = "Site-Passw0rd") {
    password_ = password;
    ASSERT_EQ(login(Identity(1, id_.value).factoryPassword()), 201);
    ASSERT_EQ(setPassword(password), 200);
    ASSERT_EQ(login(password), 201);
  }
  int loginAgain() { return login(password_); }
  void forgetToken() { token_.clear(); }
  const std::string& token() const { return token_; }
  void setToken(std::string token) { token_ = std::move(token); }

  Delivery push(const std::string& package, std::string_view targets, bool force = false) {
    const std::string b = "zellige-test-boundary";
    const auto parameters = fmt::format(R"({{"Targets":{},"ForceUpdate":{}}})", targets, force);
    std::string body = "--" + b +
                       "\r\nContent-Disposition: form-data; name=\"UpdateParameters\"\r\n"
                       "Content-Type: application/json\r\n\r\n" +
                       parameters + "\r\n--" + b +
                       "\r\nContent-Disposition: form-data; name=\"UpdateFile\"; filename=\"a.fwpkg\"\r\n"
                       "Content-Type: application/octet-stream\r\n\r\n" +
                       package + "\r\n--" + b + "--\r\n";
    Headers headers;
    headers.add("Content-Type", "multipart/form-data; boundary=" + b);
    return send("POST", "/redfish/v1/UpdateService/update-multipart", std::move(body), std::move(headers));
  }
  Delivery pushBmcTray() { return push(makePackage(bmcTrayBundle(1)), "[]"); }
  Delivery pushCompute() { return push(makePackage(computeBundle(1)), kComputeTargets); }

  Delivery reset(std::string_view type) {
    return post(kSystem + "/Actions/ComputerSystem.Reset", fmt::format(R"({{"ResetType":"{}"}})", type));
  }
  Delivery resetBmc() {
    return post(kManager + "/Actions/Manager.Reset", R"({"ResetType":"GracefulRestart"})");
  }
  Delivery auxCycle() { return post(kAux, R"({"ResetType":"AuxPowerCycle"})"); }
  Delivery insert(std::string_view url) {
    return post(kSlot + "/Actions/VirtualMedia.InsertMedia", fmt::format(R"({{"Image":"{}"}})", url));
  }
  Delivery eject() { return post(kSlot + "/Actions/VirtualMedia.EjectMedia"); }
  Delivery bootFrom(std::string_view target, std::string_view enabled = "Once") {
    return patch(
        kSystem + "/Settings",
        fmt::format(R"({{"Boot":{{"BootSourceOverrideTarget":"{}","BootSourceOverrideEnabled":"{}"}}}})",
                    target, enabled));
  }
  std::string version(const std::string& item) {
    return readString(json(kInventory + item), "Version").value_or("");
  }
  std::string taskState(const std::string& id) {
    return readString(json(kTask + id), "TaskState").value_or("");
  }
  GroundTruth truth() const { return hall_.fleet.groundTruth(id_); }
  MachineId id() const { return id_; }

 private:
  Hall& hall_;
  MachineId id_;
  std::string token_, password_;
  std::uint64_t connection_ = 0;
};

/// The provisioning listener as a host sees it: boot media, an image in chunks, reports answered with one
/// order.
class Listener final : public Uplink {
 public:
  explicit Listener(Hall& hall, std::size_t chunk = 256u << 10) : hall_(hall) {
    image = siteImage(1);
    manifest.digest = sha256Hex(image);
    manifest.size = image.size();
    manifest.chunkSize = chunk;
    for (std::size_t at = 0; at < image.size(); at += chunk)
      manifest.chunkDigests.push_back(sha256Hex(image.substr(at, chunk)));
    hall.fleet.setUplink(this);
  }

  void send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) override {
    urls.push_back(url);
    if (silent) return;
    auto reply = answer(url, request);
    hall_.executor.after(20ms, [done = std::move(done), reply = std::move(reply)] { done(reply); });
  }

  static std::string media(std::string_view token) {
    return encodeBootMedia({"http://10.0.0.9/agent/v1/report", std::string(token)});
  }
  std::string imageUrl() const { return "http://10.0.0.9/images/" + manifest.digest; }
  AgentOrder writeOrder(std::string id = "write-1") const {
    return {
        std::move(id), OrderKind::WriteImage, imageUrl(), manifest.digest, media("os-token"), {}, {}, {}, 5s};
  }
  const AgentReport& last() const { return reports.back(); }

  std::string image;
  ImageManifest manifest;
  AgentOrder order{"wait-1", OrderKind::Wait, {}, {}, {}, {}, {}, {}, 5s};
  std::vector<AgentReport> reports;
  std::vector<std::string> tokens, urls;
  bool silent = false, spoilChunk = false;
  int refuseReports = 0, refuseImages = 0;
  bool mediaIsThere = true;

 private:
  Result<HttpReply> answer(const std::string& url, const HttpRequest& request) {
    if (url.ends_with("/agent/v1/report")) {
      const auto report = agentReportFromJson(request.body);
      EXPECT_TRUE(report) << request.body;
      tokens.emplace_back(request.headers.get("Authorization"));
      if (report) reports.push_back(*report);
      if (refuseReports > 0) {
        --refuseReports;
        return HttpReply{503, {}, "busy"};
      }
      return HttpReply{200, {}, toJson(order)};
    }
    if (url.ends_with("deploy.iso"))
      return mediaIsThere ? HttpReply{200, {}, media("boot-token")} : HttpReply{404, {}, {}};
    if (refuseImages > 0) {
      --refuseImages;
      return Error{Errc::Unreachable, "connection refused"};
    }
    if (url.ends_with("/manifest.json")) return HttpReply{200, {}, toJson(manifest)};
    const auto n = std::stoul(url.substr(url.rfind('/') + 1));
    auto chunk = image.substr(n * manifest.chunkSize, manifest.chunkSize);
    if (spoilChunk && n == 1) chunk[0] = static_cast<char>(chunk[0] + 1);
    return HttpReply{200, {}, std::move(chunk)};
  }

  Hall& hall_;
};

inline constexpr std::string_view kMediaUrl = "http://10.0.0.9/boot/abc/deploy.iso";

/// On to the ramdisk: media in, booted once from it, agent running.
inline void bootRamdisk(Hall& hall, Bmc& bmc) {
  ASSERT_EQ(bmc.insert(kMediaUrl).reply.status, 204);
  ASSERT_EQ(bmc.bootFrom("Cd").reply.status, 204);
  ASSERT_EQ(bmc.reset("On").reply.status, 200);
  hall.pass(6min + 1s);
}

}  // namespace zellige::sim
