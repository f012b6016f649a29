// Packages, and the files of a simulated site: what a technician imports fits the fleet that it was made for.
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/drivers/simulator/client.hpp"
#include "tests/folder.hpp"

namespace zellige::sim {
namespace {

std::string read(const Folder& folder, std::string_view name) {
  std::ifstream in(folder.path() / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Package, IsReadBackAsItWasMade) {
  const auto spec = computeBundle(1);
  const auto bytes = makePackage(spec);
  const auto read = readPackage(bytes);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->device, "GB200-HGX-TRAY-0");
  EXPECT_EQ(read->version, spec.version);
  ASSERT_EQ(read->components.size(), 5u);  // HMC, CPU, ERoT, FPGA, GPU
  for (std::size_t i = 0; i < spec.components.size(); ++i) {
    EXPECT_EQ(read->components[i].identifier, spec.components[i].identifier);
    EXPECT_EQ(read->components[i].version, spec.components[i].version);
    EXPECT_EQ(read->components[i].stamp, kWantedStamp);
    EXPECT_EQ(read->components[i].image, spec.components[i].image);
  }
  EXPECT_LE(bytes.size(), 64u << 10);
  EXPECT_EQ(makePackage(computeBundle(1)), bytes) << "the same seed makes the same bytes";
  EXPECT_NE(makePackage(computeBundle(2)), bytes);
}

TEST(Package, HasTheLayoutOfDsp0267) {
  const auto bytes = makePackage(bmcTrayBundle(1));
  const auto u16 = [&](std::size_t at) {
    return static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8;
  };
  EXPECT_EQ(toHex(std::string_view(bytes).substr(0, 16)), "f018878ccb7d49439800a02f059aca02");
  EXPECT_EQ(bytes[16], 1);    // format revision
  EXPECT_EQ(u16(32) % 8, 0);  // bitmap bits: 16 + 1 + 2 + 13
  EXPECT_EQ(bytes[34], 1);    // version string type ASCII
  const auto headerSize = static_cast<std::size_t>(u16(17));
  // CRC-32 of "123456789" is cbf43926 for this polynomial; here: of the header, stored right before the
  // images.
  std::uint32_t crc = 0xffffffffu;
  for (std::size_t i = 0; i < headerSize - 4; ++i) {
    crc ^= static_cast<unsigned char>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
  }
  const auto stored = static_cast<std::uint32_t>(u16(headerSize - 4)) |
                      static_cast<std::uint32_t>(u16(headerSize - 2)) << 16;
  EXPECT_EQ(stored, ~crc);
  EXPECT_EQ(bytes.substr(headerSize, 8), bmcTrayBundle(1).components[0].image.substr(0, 8));
}

TEST(Package, DamagedOnesAreRefusedWithoutReadingPastTheEnd) {
  const auto good = makePackage(bmcTrayBundle(1));
  for (std::size_t length = 0; length < good.size(); length += 7)
    EXPECT_FALSE(readPackage(good.substr(0, length)));
  int refused = 0;
  for (std::size_t at = 0; at < 200; ++at) {
    auto damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    refused += readPackage(damaged) ? 0 : 1;
  }
  EXPECT_EQ(refused, 200) << "every byte of the header is under its checksum";
}

TEST(Site, HasEveryFileAndTheirDigestsAreRight) {
  const Folder folder;
  FleetOptions fleet;
  fleet.trays = 20;
  ASSERT_TRUE(writeSite(folder.path(), fleet));
  const auto manifest = read(folder, "manifest.yaml");
  EXPECT_NE(
      manifest.find("  - serial: \"1333024020001\"\n    kind: compute_tray\n    place: H1/R01/RK001/U10\n"
                    "    sku: gb200-nvl-compute\n    profile: gb200-sim\n"
                    "    bmc: { mac: \"3c:6d:66:00:00:01\", address: \"127.1.0.1\", port: 8443, user: root, "
                    "factory_password: \"" +
                    Identity(1, 0).factoryPassword() + "\" }\n"),
      std::string::npos);
  EXPECT_NE(manifest.find("place: H1/R01/RK002/U11"), std::string::npos);
  const auto baseline = read(folder, "compute_tray/baseline.yaml");
  for (const auto* file : {"packages/bmc-tray-26.01-1.fwpkg", "packages/compute-tray-26.01-1.fwpkg"}) {
    EXPECT_TRUE(readPackage(read(folder, file)));
    EXPECT_NE(baseline.find(fmt::format("file: {}, sha256: {}", file, sha256Hex(read(folder, file)))),
              std::string::npos);
  }
  EXPECT_NE(baseline.find("{ match: \"HGX_FW_ERoT_*\", version: \"01.04.0031.0000_n04\" }"),
            std::string::npos);
  const auto profile = read(folder, "compute_tray/profile.yaml");
  EXPECT_NE(profile.find("sha256: " + sha256Hex(read(folder, "images/debian-sim.raw"))), std::string::npos);
  EXPECT_EQ(sha256Hex(read(folder, "images/debian-sim.raw")), siteImageDigest(1));
  EXPECT_EQ(read(folder, "images/debian-sim.raw").size(), 1u << 20);
  const auto plan = read(folder, "plan.yaml");
  EXPECT_NE(plan.find("gemm_tflops_min: { min: 2540 }"), std::string::npos);  // as in faults_test
  EXPECT_NE(plan.find("allreduce_gb_per_s: { min: 600 }"), std::string::npos);
  EXPECT_NE(read(folder, "compute_tray/sku.yaml").find("{ kind: gpu, count: 4, model: \"NVIDIA GB200\" }"),
            std::string::npos);
}

TEST(Site, SaysTheSitePasswordWhereItIsSetAlready) {
  const Folder folder;
  FleetOptions fleet;
  fleet.trays = 1;
  fleet.asWanted = true;
  ASSERT_TRUE(writeSite(folder.path(), fleet, {"SIM2", [](int) { return BmcAddress{"10.1.2.3", 443}; }}));
  const auto manifest = read(folder, "manifest.yaml");
  EXPECT_TRUE(manifest.starts_with("site: SIM2\n"));
  EXPECT_NE(manifest.find("address: \"10.1.2.3\", port: 443, user: root, password: \"Zellige-Sim-1\""),
            std::string::npos);
}

TEST(Site, ItsSkuIsWhatTheTreeShows) {
  Hall hall;
  Bmc bmc(hall, 0);
  bmc.takeOver();
  std::map<std::string, int> models;
  const auto processors = bmc.json("/redfish/v1/Systems/HGX_Baseboard_0/Processors?$expand=.($levels=1)");
  for (const auto& p : processors["Members"]) ++models[readString(p, "Model").value_or("")];
  for (const std::string chassis :
       {"IO_Board_0", "IO_Board_1", "Riser_Slot1_BlueField_3_DPU", "Riser_Slot2_BlueField_3_DPU"}) {
    const auto adapters = bmc.json("/redfish/v1/Chassis/" + chassis + "/NetworkAdapters?$expand=.($levels=1)");
    for (const auto& a : adapters["Members"]) ++models[readString(a, "Model").value_or("")];
  }
  EXPECT_EQ(models, (std::map<std::string, int>{
                        {"NVIDIA GB200", 4}, {"Grace A02", 2}, {"BlueField-3 DPU", 2}, {"P4768-B01", 4}}));
  EXPECT_EQ(readInt(bmc.json(kSystem), "MemorySummary/TotalSystemMemoryGiB"), 960);
}

TEST(Site, PlacesAreUniqueOverHalls) {
  FleetOptions fleet;
  fleet.trays = 400 * 18;
  fleet.switchesPerRack = 9;
  fleet.shelvesPerRack = 8;
  std::map<std::string, int> places;
  for (int i = 0; i < machinesOf(fleet); ++i) ++places[placeOf(fleet, i)];
  EXPECT_EQ(places.size(), 400u * 35);
  for (const auto* place : {"H3/R05/RK080/U36", "H3/R05/RK080/U26", "H3/R05/RK080/U04", "H3/R05/RK080/U42"})
    EXPECT_TRUE(places.contains(place)) << place;
}

TEST(Site, IdentitiesAreUniqueAndStable) {
  std::set<std::string> serials, macs, addresses, gpus;
  for (int i = 0; i < 3'000; ++i) {
    const Identity identity(1, i);
    serials.insert(identity.serial());
    macs.insert(identity.bmcMac());
    addresses.insert(bmcAddress(i).host);
    for (int gpu = 0; gpu < 4; ++gpu) gpus.insert(identity.gpuSerial(gpu));
  }
  EXPECT_EQ(serials.size(), 3'000u);
  EXPECT_EQ(macs.size(), 3'000u);
  EXPECT_EQ(addresses.size(), 3'000u);
  EXPECT_EQ(gpus.size(), 12'000u);
  EXPECT_EQ(bmcAddress(0).host, "127.1.0.1");
  EXPECT_EQ(bmcAddress(65'535).host, "127.2.0.0");
  EXPECT_EQ(Identity(1, 5).gpuSerial(2), Identity(1, 5).gpuSerial(2));
}

}  // namespace
}  // namespace zellige::sim
