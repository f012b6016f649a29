#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/site/site_file.hpp"
#include "tests/site/reading.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

const std::string digest(64, 'a');

TEST(SkuFile, ReadsKindMemoryAndComponents) {
  const auto reading = readSku("s.yaml", R"(sku: gb200-nvl-compute
kind: compute_tray
memory_gib: 960
components:
  - { kind: gpu, count: 4, model: "GB200" }
  - { kind: cpu, count: 2 }
)");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& sku = std::get<Sku>(reading);
  EXPECT_EQ(sku.name, "gb200-nvl-compute");
  EXPECT_EQ(sku.kind, NodeKind::ComputeTray);
  EXPECT_EQ(sku.memoryGiB, 960);
  ASSERT_EQ(sku.components.size(), 2u);
  EXPECT_EQ(sku.components[0].kind, ComponentKind::Gpu);
  EXPECT_EQ(sku.components[0].count, 4);
  EXPECT_EQ(sku.components[0].model, "GB200");
  EXPECT_EQ(sku.components[1].model, "");
}

TEST(SkuFile, SaysWhatIsWrong) {
  EXPECT_THAT(
      complaints(readSku("s.yaml", R"(sku: -x
kind: compute_tray
memory_gib: lots
components:
  - { kind: gpus, count: 4 }
  - { kind: cpu, count: 0 }
  - { kind: nic, count: 1, model: CX7 }
  - { kind: nic, count: 2, model: CX7 }
)")),
      ElementsAre("s.yaml:1:6: '-x' must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit",
                  "s.yaml:3:13: 'lots' is not a whole number",
                  "s.yaml:5:13: 'gpus' is not a kind of component, did you mean 'gpu'?",
                  "s.yaml:6:25: '0' is out of range: 1 to 1024",
                  "s.yaml:8:5: component 'nic CX7' is given twice; first in line 7"));
}

TEST(BaselineFile, KeepsItsEntriesInOrder) {
  const auto reading = readBaseline("b.yaml",
                                    "baseline: gb200-sim-2026.1\nentries:\n"
                                    "  - id: bmc_tray\n    package: { file: packages/bmc-1.fwpkg, sha256: " +
                                        digest +
                                        " }\n    targets: []\n"
                                        "    components: [ { match: FW_BMC_0, version: 1.2 }, { match: "
                                        "\"FW_ERoT_*\", version: \"01.04\" } ]\n"
                                        "    activation: bmc_reset\n"
                                        "  - id: compute\n    package: { file: packages/hgx.fwpkg, sha256: " +
                                        std::string(64, 'B') +
                                        " }\n"
                                        "    targets: [ /redfish/v1/Chassis/HGX_Chassis_0 ]\n    components: "
                                        "[ { match: \"HGX_*\", version: v3 } ]\n"
                                        "    activation: aux_cycle\n    force: true\n");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& baseline = std::get<Baseline>(reading);
  EXPECT_EQ(baseline.name, "gb200-sim-2026.1");
  ASSERT_EQ(baseline.entries.size(), 2u);
  const auto& first = baseline.entries[0];
  EXPECT_EQ(first.id, "bmc_tray");
  EXPECT_EQ(first.packageDigest, digest);
  EXPECT_TRUE(first.targets.empty());
  ASSERT_EQ(first.components.size(), 2u);
  EXPECT_EQ(first.components[0].version, "1.2");
  EXPECT_EQ(first.components[1].match, "FW_ERoT_*");
  EXPECT_EQ(first.activation, Activation::BmcReset);
  EXPECT_FALSE(first.force);
  const auto& second = baseline.entries[1];
  EXPECT_EQ(second.packageDigest, std::string(64, 'b'));
  EXPECT_THAT(second.targets, ElementsAre("/redfish/v1/Chassis/HGX_Chassis_0"));
  EXPECT_EQ(second.activation, Activation::AuxCycle);
  EXPECT_TRUE(second.force);
}

TEST(BaselineFile, SaysWhatIsWrong) {
  EXPECT_THAT(
      complaints(readBaseline("b.yaml", R"(baseline: b
entries:
  - id: BMC
    package: { file: ../x.fwpkg, sha256: 12 }
    targets: [ FW_BMC_0 ]
    components: [ { match: "*FW", version: "" } ]
    activation: bmc_rest
  - id: two
    package: { file: /x, sha256: 12 }
    components: []
    activation: none
    force: no
  - id: two
    package: x
    targets: []
    components: [ { match: A, version: 1 }, { match: A, version: 2 } ]
    activation: none
)")),
      ElementsAre("b.yaml:3:9: 'BMC' must be 1 to 32 of a-z 0-9 _",
                  "b.yaml:4:22: '../x.fwpkg' must be a path inside the bundle",
                  "b.yaml:4:42: '12' is not a SHA-256 digest of 64 hex digits",
                  "b.yaml:5:16: 'FW_BMC_0' is neither a Redfish URI, which begins with /redfish/, nor a "
                  "component of a switch tray, as BMC, CPLD1 or NVOS",
                  "b.yaml:6:28: '*FW' is no inventory id, nor the beginning of one with '*' at its end",
                  "b.yaml:6:44: '' must not be empty",
                  "b.yaml:7:17: 'bmc_rest' is not an activation, did you mean 'bmc_reset'?",
                  "b.yaml:8:5: missing key 'targets' in an entry",
                  "b.yaml:9:22: '/x' must be a path inside the bundle",
                  "b.yaml:9:34: '12' is not a SHA-256 digest of 64 hex digits",
                  "b.yaml:10:17: an entry without components is never done",
                  "b.yaml:12:12: 'no' is neither true nor false",
                  "b.yaml:13:9: entry id 'two' is given twice; first in line 8",
                  "b.yaml:14:14: a package must be a map, not a single value",
                  "b.yaml:16:54: component 'A' is given twice; first in line 16"));
}

TEST(PlanFile, ReadsTestsTimesAndLimits) {
  const auto reading = readPlan("p.yaml", R"(plan: sim-10min
tests:
  - { id: cpu, minutes: 2, limits: { errors: { max: 0 } } }
  - { id: gpu_gemm, seconds: 240, required: true, of: [gpu, cpu], limits: { gemm_tflops: { min: 2000, max: 2500.5 } } }
)");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& plan = std::get<Plan>(reading);
  ASSERT_EQ(plan.tests.size(), 2u);
  EXPECT_EQ(plan.tests[0].duration, Duration{120'000});
  EXPECT_FALSE(plan.tests[0].required);
  EXPECT_EQ(plan.tests[0].limits.at("errors").min, std::nullopt);
  EXPECT_EQ(plan.tests[0].limits.at("errors").max, 0.0);
  EXPECT_EQ(plan.tests[1].duration, Duration{240'000});
  EXPECT_TRUE(plan.tests[1].required);
  EXPECT_THAT(plan.tests[0].of, ElementsAre());
  EXPECT_THAT(plan.tests[1].of, ElementsAre(ComponentKind::Gpu, ComponentKind::Cpu));
  EXPECT_EQ(plan.tests[1].limits.at("gemm_tflops").min, 2000.0);
  EXPECT_EQ(plan.tests[1].limits.at("gemm_tflops").max, 2500.5);
}

TEST(PlanFile, SaysWhatIsWrong) {
  EXPECT_THAT(
      complaints(readPlan("p.yaml", R"(plan: p
tests:
  - { id: cpu, minutes: 2, seconds: 3 }
  - { id: cpu, minutes: 0 }
  - { id: gpu, limits: { errors: {} } }
  - { id: nvlink, minutes: 1, limits: { gb_per_s: { min: 5, max: 4 } } }
  - { id: disk, minutes: 1, limits: [ errors ] }
  - { id: disk2, minutes: 1, limits: { errors: { most: 4 } } }
  - { id: fan, minutes: 1, of: [fan, gpu, gpu] }
)")),
      ElementsAre("p.yaml:3:5: a test needs either minutes or seconds",
                  "p.yaml:4:11: test id 'cpu' is given twice; first in line 3",
                  "p.yaml:4:25: '0' is out of range: 1 to 40320",
                  "p.yaml:5:5: a test needs either minutes or seconds",
                  "p.yaml:5:34: a limit needs min, max or both", "p.yaml:6:51: min 5 is above max 4",
                  "p.yaml:7:37: limits must be a map of value names",
                  "p.yaml:8:48: a limit needs min, max or both", "p.yaml:8:50: unknown key 'most' in a limit",
                  "p.yaml:9:33: 'fan' is not a kind of part; known: cpu, gpu, memory, nic, dpu, drive, "
                  "bmc, board, rot, cpld, psu, switch, other",
                  "p.yaml:9:43: kind of part 'gpu' is given twice; first in line 9"));
  EXPECT_THAT(complaints(readPlan("p.yaml", "plan: p\ntests: []\n")),
              ElementsAre("p.yaml:2:8: a plan without tests proves nothing"));
}

TEST(ProfileFile, ReadsReferencesAndSettings) {
  const auto reading = readProfile("p.yaml", R"(profile: gb200-sim
sku: gb200-nvl-compute
baseline: gb200-sim-2026.1
plan: sim-10min
image: { name: debian-sim, file: images/debian-sim.raw, sha256: )" +
                                                 digest + R"( }
settings: { ntp: ["10.0.0.1", ntp.site.example], syslog: { address: "10.0.0.5" }, power_restore_policy: AlwaysOff }
)");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& profile = std::get<Profile>(reading);
  EXPECT_EQ(profile.name, "gb200-sim");
  EXPECT_EQ(profile.sku, "gb200-nvl-compute");
  EXPECT_EQ(profile.baseline, "gb200-sim-2026.1");
  EXPECT_EQ(profile.plan, "sim-10min");
  EXPECT_EQ(profile.imageName, "debian-sim");
  EXPECT_EQ(profile.imageDigest, digest);
  EXPECT_EQ(profile.settings, (BmcSettings{{"10.0.0.1", "ntp.site.example"}, "10.0.0.5", 514, "AlwaysOff"}));
}

TEST(ProfileFile, OfAShelfNeedsNeitherImageNorPlan) {
  const auto reading = readProfile("p.yaml", "profile: shelf\nsku: power-shelf\n");
  ASSERT_THAT(complaints(reading), ElementsAre());
  EXPECT_EQ(std::get<Profile>(reading).imageDigest, "");
  EXPECT_EQ(std::get<Profile>(reading).settings, BmcSettings{});
}

TEST(ProfileFile, SaysWhatIsWrong) {
  EXPECT_THAT(complaints(readProfile("p.yaml", R"(profile: p
baseline: ""
image: { file: images/../../x }
settings: { ntp: "10.0.0.1", syslog: { port: 0 }, power_restore_policy: alwaysOff, ipmi: off }
)")),
              ElementsAre("p.yaml:1:1: missing key 'sku' in a profile", "p.yaml:2:11: '' must not be empty",
                          "p.yaml:3:8: missing key 'name' in an image",
                          "p.yaml:3:8: missing key 'sha256' in an image",
                          "p.yaml:3:16: 'images/../../x' must be a path inside the bundle",
                          "p.yaml:4:18: must be a list, not a single value",
                          "p.yaml:4:38: missing key 'address' in syslog",
                          "p.yaml:4:46: '0' is out of range: 1 to 65535",
                          "p.yaml:4:73: 'alwaysOff' is not a power restore policy, did you mean 'AlwaysOff'?",
                          "p.yaml:4:84: unknown key 'ipmi' in settings"));
}

}  // namespace
}  // namespace zellige
