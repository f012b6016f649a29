// Simulated switch trays: what their own system does.
#include "tests/drivers/simulator/client.hpp"

namespace zellige::sim {
namespace {

/// The listener that hands out packages.
struct Packages : Uplink {
  explicit Packages(Executor& world) : executor(world) {}
  void send(std::string url, HttpRequest, std::function<void(Result<HttpReply>)> done) override {
    executor.after(1s, [this, url, done = std::move(done)] {
      const auto it = files.find(url);
      done(HttpReply{it == files.end() ? 404 : 200, {}, it == files.end() ? "" : it->second});
    });
  }
  Executor& executor;
  std::map<std::string, std::string> files;
};

struct Switch {
  Switch() {
    hall.fleet.setUplink(&packages);
    const auto& profile = profileOf(MachineKind::SwitchTray);
    for (const auto& package : profile.packages)
      packages.files[fmt::format("https://c/{}", package.entry)] = makePackage(bundleOf(profile, package, 1));
  }
  static FleetOptions options() {
    FleetOptions out;
    out.trays = 0;
    out.switchesPerRack = 1;
    return out;
  }
  Delivery send(std::string method, std::string path, std::string body = {}) {
    Arrival arrival{{std::move(method), "/nvue_v1/" + path, {}, std::move(body)}, 1, false};
    arrival.request.headers.add("Authorization", "Basic " + toBase64("admin:" + password));
    return hall.fleet.exchange({0}, arrival, Door::Nvos);
  }
  Json get(const std::string& path) { return Json::parse(send("GET", path).reply.body, nullptr, false); }
  int act(const std::string& path, const std::string& action, const std::string& parameters = "{}") {
    return send("POST", path,
                fmt::format(R"({{"{}":{{"state":"start","parameters":{}}}}})", action, parameters))
        .reply.status;
  }
  void install(const std::string& component, const std::string& entry) {
    const auto own = component == "NVOS" ? std::string("system/image") : "platform/firmware/" + component;
    EXPECT_EQ(act(own, "@fetch", fmt::format(R"({{"remote-url":"https://c/{}"}})", entry)), 201);
    hall.pass(1min);
    EXPECT_EQ(act(own + "/files/" + entry, "@install"), 201);
  }
  std::string version(const std::string& component) {
    return readString(get("platform/firmware"), component + "/actual-firmware").value_or("");
  }
  GroundTruth truth() { return hall.fleet.groundTruth({0}); }

  Hall hall{options()};
  Packages packages{hall.executor};
  std::string password = Identity(1, 0, MachineKind::SwitchTray).nvosPassword();
};

TEST(SimulatedSwitch, WhatIsInstalledComesAliveWithTheRebootWhichCyclesThePower) {
  Switch s;
  s.install("BMC", "bmc");
  s.hall.pass(11min);
  EXPECT_EQ(readString(s.get("action/2"), "state"), "action_success");
  EXPECT_EQ(s.version("BMC"), "88.0002.1950");
  EXPECT_EQ(s.act("system", "@reboot"), 201);
  s.hall.pass(1min);
  EXPECT_FALSE(s.truth().bmcUp);
  EXPECT_EQ(s.send("GET", "platform").ending, Ending::Refuse);
  s.hall.pass(15min);
  EXPECT_TRUE(s.truth().bmcUp);
  EXPECT_EQ(s.version("BMC"), "88.0002.2104");
  EXPECT_EQ(s.send("GET", "action/2").reply.status, 404) << "jobs do not outlive a reboot";
  EXPECT_EQ(s.act("system", "@reboot"), 201);
  EXPECT_EQ(s.hall.fleet.ledger().duplicates().size(), 1u) << "for nothing";
}

TEST(SimulatedSwitch, ItsOwnImageNeedsOnlyItsReboot) {
  Switch s;
  s.install("NVOS", "nvos");
  s.hall.pass(11min);
  EXPECT_EQ(readString(s.get("system/image"), "next"), "2");
  s.act("system", "@reboot");
  s.hall.pass(1min);
  EXPECT_TRUE(s.truth().bmcUp);
  s.hall.pass(10min);
  EXPECT_EQ(readString(s.get("system/image"), "partition1/build-id"), "nvos-25.02.2510");
}

TEST(SimulatedSwitch, ASecondInstallIsADuplicateAndARebootBeneathOneDamagesIt) {
  Switch s;
  s.install("BIOS", "bios");
  EXPECT_EQ(s.act("platform/firmware/BIOS/files/bios", "@install"), 409);
  EXPECT_EQ(s.hall.fleet.ledger().duplicates().size(), 1u);
  s.act("system", "@reboot");
  s.hall.pass(15min);
  EXPECT_EQ(s.truth().interruptedFlashes, 1);
  EXPECT_EQ(s.version("BIOS"), "0ACTV_00.01.022");
}

TEST(SimulatedSwitch, AFileForAnotherComponentOrNoneIsRefused) {
  Switch s;
  s.act("platform/firmware/BIOS", "@fetch", R"({"remote-url":"https://c/cpld"})");
  s.hall.pass(1min);
  EXPECT_EQ(s.act("platform/firmware/BIOS/files/cpld", "@install"), 201);
  s.hall.pass(10min);
  EXPECT_EQ(readString(s.get("action/2"), "state"), "action_error");
  s.act("platform/firmware/FPGA", "@fetch", R"({"remote-url":"https://c/nothing"})");
  s.hall.pass(1min);
  EXPECT_EQ(readString(s.get("action/3"), "state"), "action_error");
  EXPECT_EQ(s.act("platform/firmware/FPGA/files/nothing", "@install"), 404);
}

TEST(SimulatedSwitch, SettingsTakeEffectWhenTheirRevisionIsApplied) {
  Switch s;
  EXPECT_EQ(s.send("POST", "revision").reply.status, 201);
  EXPECT_EQ(s.send("PATCH", "system/aaa/user/admin?rev=1", R"({"password":"short"})").reply.status, 400);
  EXPECT_EQ(s.send("PATCH", "system/aaa/user/admin?rev=1", R"({"password":"Long-Enough-99"})").reply.status,
            200);
  EXPECT_EQ(s.send("PATCH", "cluster?rev=1", R"({"state":"enabled"})").reply.status, 200);
  EXPECT_EQ(readString(s.get("cluster"), "state"), "disabled");
  const auto applied = s.send("PATCH", "revision/1", R"({"state":"apply"})");
  EXPECT_EQ(applied.reply.status, 200);
  EXPECT_EQ(s.send("GET", "cluster").reply.status, 200) << "the new password is being set";
  s.hall.pass(applied.latency);
  EXPECT_EQ(s.send("GET", "cluster").reply.status, 401);
  s.password = "Long-Enough-99";
  EXPECT_EQ(readString(s.get("cluster"), "state"), "enabled");
  EXPECT_EQ(readString(s.get("cluster/apps/nmx-controller"), "additional-info"),
            "CONTROL_PLANE_STATE_CONFIGURING");
  s.hall.pass(2min);
  EXPECT_EQ(readString(s.get("cluster/apps/nmx-controller"), "additional-info"),
            "CONTROL_PLANE_STATE_CONFIGURED");
}

/// Switches the control plane on there.
int lead(Hall& hall, int machine, int revision) {
  const auto password = Identity(1, machine, MachineKind::SwitchTray).nvosPassword();
  const auto send = [&](std::string method, std::string path, std::string body) {
    Arrival arrival{{std::move(method), "/nvue_v1/" + path, {}, std::move(body)}, 1, false};
    arrival.request.headers.add("Authorization", "Basic " + toBase64("admin:" + password));
    return hall.fleet.exchange({machine}, arrival, Door::Nvos).reply.status;
  };
  EXPECT_EQ(send("POST", "revision", ""), 201);
  EXPECT_EQ(send("PATCH", fmt::format("cluster?rev={}", revision), R"({"state":"enabled"})"), 200);
  return send("PATCH", fmt::format("revision/{}", revision), R"({"state":"apply"})");
}

TEST(SimulatedSwitch, ASecondControlPlaneInItsRackIsADuplicateAndOneInTheNextIsNone) {
  FleetOptions options;
  options.trays = 2;
  options.traysPerRack = 1;
  options.switchesPerRack = 2;
  Hall hall(options);
  EXPECT_EQ(lead(hall, 2, 1), 200);
  EXPECT_EQ(lead(hall, 4, 1), 200);
  EXPECT_TRUE(hall.fleet.ledger().duplicates().empty());
  EXPECT_EQ(lead(hall, 2, 2), 200);
  ASSERT_EQ(hall.fleet.ledger().duplicates().size(), 1u);
  EXPECT_EQ(lead(hall, 3, 1), 200);
  ASSERT_EQ(hall.fleet.ledger().duplicates().size(), 2u);
  EXPECT_EQ(hall.fleet.ledger().duplicates().back().entry.machine, 3);
}

TEST(SimulatedSwitch, AFabricIsNotConfiguredWhileATrayOfTheRackIsOff) {
  FleetOptions options;
  options.trays = 1;
  options.switchesPerRack = 1;
  Hall hall(options);
  EXPECT_EQ(lead(hall, 1, 1), 200);
  hall.pass(1h);
  const auto password = Identity(1, 1, MachineKind::SwitchTray).nvosPassword();
  Arrival arrival{{"GET", "/nvue_v1/cluster/apps/nmx-controller", {}, {}}, 1, false};
  arrival.request.headers.add("Authorization", "Basic " + toBase64("admin:" + password));
  const auto reply = hall.fleet.exchange({1}, arrival, Door::Nvos).reply.body;
  EXPECT_NE(reply.find("CONTROL_PLANE_STATE_UNCONFIGURED"), std::string::npos) << reply;
}

}  // namespace
}  // namespace zellige::sim
