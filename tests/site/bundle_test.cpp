#include "controller/site/bundle.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/digest.hpp"
#include "tests/folder.hpp"
#include "tests/site/pldm_writer.hpp"
#include "tests/site/reading.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

/// A small site on disk; a test changes one thing in it.
struct Site {
  Folder folder;
  std::string package, image = "an operating system";
  std::map<std::string, std::string> files;

  Site() {
    PldmWriter writer;
    writer.images = {{"bmc-1.2", "firmware"}, {"erot-1.4", "more"}};
    package = writer.write();
    files["manifest.yaml"] = R"(site: SIM1
nodes:
  - serial: A1
    kind: compute_tray
    place: H1/R01/RK001/U10
    sku: tray
    profile: gb200
    bmc: { mac: "3c:6d:66:00:00:01", address: "127.1.0.1", user: root, password: x }
)";
    files["sku.yaml"] = "sku: tray\nkind: compute_tray\ncomponents: [ { kind: gpu, count: 4 } ]\n";
    files["plan.yaml"] = "plan: short\ntests: [ { id: cpu, minutes: 1 } ]\n";
    files["profile.yaml"] = fmt::format(
        "profile: gb200\nsku: tray\nbaseline: base-1\nplan: short\nimage: {{ name: os, file: images/os.raw, "
        "sha256: {} }}\n",
        sha256Hex(image));
    files["baseline.yaml"] = fmt::format(R"(baseline: base-1
entries:
  - id: bmc
    package: {{ file: packages/bmc.fwpkg, sha256: {} }}
    targets: []
    components: [ {{ match: FW_BMC_0, version: bmc-1.2 }}, {{ match: "FW_ERoT_*", version: erot-1.4 }} ]
    activation: bmc_reset
)",
                                         sha256Hex(package));
  }

  void change(const std::string& file, std::string_view from, std::string_view to) {
    auto& text = files.at(file);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  Reading<SiteBundle> read(const Known& known = {}) {
    for (const auto& [name, text] : files) folder.write(name, text);
    if (!package.empty()) folder.write("packages/bmc.fwpkg", package);
    if (!image.empty()) folder.write("images/os.raw", image);
    return readBundle({folder.path()}, known);
  }
  /// Complaints, with the folder's own path cut off.
  std::vector<std::string> wrong(const Known& known = {}) {
    auto lines = complaints(read(known));
    for (auto& line : lines)
      for (auto at = line.find(folder.path().string()); at != std::string::npos;
           at = line.find(folder.path().string()))
        line.erase(at, folder.path().string().size() + 1);
    return lines;
  }
};

TEST(Bundle, IsReadWhole) {
  Site site;
  const auto reading = site.read();
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& bundle = std::get<SiteBundle>(reading);
  EXPECT_EQ(bundle.manifests.at(0).nodes.at(0).serial, "A1");
  EXPECT_EQ(bundle.skus.at(0).name, "tray");
  EXPECT_EQ(bundle.profiles.at(0).imageName, "os");
  EXPECT_EQ(bundle.plans.at(0).name, "short");
  ASSERT_EQ(bundle.packages.size(), 1u);
  EXPECT_EQ(bundle.packages[0].file.digest, bundle.baselines.at(0).entries.at(0).packageDigest);
  EXPECT_EQ(bundle.packages[0].file.name, "bmc.fwpkg");
  EXPECT_EQ(bundle.packages[0].file.size, site.package.size());
  EXPECT_EQ(bundle.packages[0].versions.at(1), "erot-1.4");
  ASSERT_EQ(bundle.images.size(), 1u);
  EXPECT_EQ(bundle.images[0].file.digest, sha256Hex(site.image));
  EXPECT_EQ(bundle.images[0].manifest.chunkDigests.size(), 1u);
  EXPECT_EQ(bundle.images[0].path, site.folder.path() / "images/os.raw");
}

TEST(Bundle, MayBeNamedFileByFileAndReferToWhatIsKnown) {
  Site site;
  site.read();
  const auto manifest = site.folder.path() / "manifest.yaml";
  EXPECT_EQ(complaints(readBundle({manifest})).size(), 2u);
  Known known;
  known.skus = {{"tray", NodeKind::ComputeTray}};
  known.profiles = {{"gb200", "tray"}};
  EXPECT_THAT(complaints(readBundle({manifest}, known)), ElementsAre());
  EXPECT_THAT(complaints(readBundle({manifest, site.folder.path() / "sku.yaml"}, known)), ElementsAre());
}

TEST(Bundle, FindsContentFromItsRootToo) {
  Site site;
  site.files["deep/er/baseline.yaml"] = site.files.at("baseline.yaml");
  site.files.erase("baseline.yaml");
  site.files[".hidden/x.yaml"] = "not: ours\n";
  EXPECT_THAT(site.wrong(), ElementsAre());
}

TEST(Bundle, SaysWhichReferenceIsUnknown) {
  Site site;
  site.change("manifest.yaml", "sku: tray", "sku: trey");
  site.change("manifest.yaml", "profile: gb200", "profile: h100");
  site.change("profile.yaml", "base-1", "base-2");
  site.change("profile.yaml", "plan: short", "plan: shirt");
  EXPECT_THAT(site.wrong(),
              ElementsAre("manifest.yaml:6:10: unknown SKU 'trey', did you mean 'tray'?",
                          "manifest.yaml:7:14: unknown profile 'h100'",
                          "profile.yaml:3:11: unknown baseline 'base-2', did you mean 'base-1'?",
                          "profile.yaml:4:7: unknown plan 'shirt', did you mean 'short'?"));
}

TEST(Bundle, RefusesASkuOfAnotherKindAndAProfileForAnotherSku) {
  Site site;
  site.files["sku2.yaml"] = "sku: shelf\nkind: power_shelf\ncomponents: [ { kind: psu, count: 6 } ]\n";
  site.change("manifest.yaml", "sku: tray", "sku: shelf");
  EXPECT_THAT(site.wrong(),
              ElementsAre("manifest.yaml:6:10: SKU 'shelf' is for a power_shelf, this node is a compute_tray",
                          "manifest.yaml:7:14: profile 'gb200' is for SKU 'tray', this node has 'shelf'"));
}

TEST(Bundle, RefusesContentThatIsMissingOrOtherThanTold) {
  Site site;
  site.image = "another operating system";
  EXPECT_THAT(site.wrong(),
              ElementsAre(fmt::format("profile.yaml:5:26: 'images/os.raw' has SHA-256 {}, not {}",
                                      sha256Hex(site.image), sha256Hex("an operating system"))));
  Site missing;
  missing.package.clear();
  missing.image.clear();
  EXPECT_THAT(missing.wrong(), ElementsAre("baseline.yaml:4:22: no file 'packages/bmc.fwpkg'",
                                           "profile.yaml:5:26: no file 'images/os.raw'"));
}

TEST(Bundle, AcceptsMissingContentThatTheStoreHas) {
  Site site;
  Known known;
  known.packages[sha256Hex(site.package)] = {"bmc-1.2", "erot-1.4"};
  known.images = {sha256Hex(site.image)};
  site.package.clear();
  site.image.clear();
  const auto reading = site.read(known);
  ASSERT_THAT(complaints(reading), ElementsAre());
  EXPECT_TRUE(std::get<SiteBundle>(reading).packages.empty());
  known.packages.begin()->second = {"bmc-1.2"};
  EXPECT_THAT(site.wrong(known),
              ElementsAre("baseline.yaml:6:89: the package holds no version 'erot-1.4'; it holds "
                          "'bmc-1.2'"));
}

TEST(Bundle, RefusesAVersionThatThePackageDoesNotHold) {
  Site site;
  site.change("baseline.yaml", "bmc-1.2", "bmc-1.3");
  EXPECT_THAT(site.wrong(),
              ElementsAre("baseline.yaml:6:47: the package holds no version 'bmc-1.3'; it holds "
                          "'bmc-1.2', 'erot-1.4'"));
}

TEST(Bundle, RefusesAPackageThatIsNoPldm) {
  Site site;
  site.change("baseline.yaml", sha256Hex(site.package), sha256Hex("not firmware at all"));
  site.package = "not firmware at all";
  EXPECT_THAT(site.wrong(),
              ElementsAre("baseline.yaml:4:22: 'packages/bmc.fwpkg': not a PLDM firmware package: its "
                          "first 16 bytes are no known identifier"));
}

TEST(Bundle, RefusesNamesAndNodesGivenTwice) {
  Site names;
  names.files["zsku.yaml"] = names.files["sku.yaml"];
  EXPECT_THAT(names.wrong(), ElementsAre("zsku.yaml:1:1: SKU 'tray' is given twice; first in sku.yaml"));
  Site nodes;
  nodes.files["more.yaml"] = nodes.files["manifest.yaml"];
  nodes.change("more.yaml", "serial: A1", "serial: A2");
  nodes.change("more.yaml", "00:01", "00:02");
  nodes.change("more.yaml", "site: SIM1", "site: SIM2");
  EXPECT_THAT(
      nodes.wrong(),
      ElementsAre(
          "more.yaml:8:47: address 127.1.0.1 port 443 is given twice; first in manifest.yaml line 8"));
}

TEST(Bundle, RefusesWhatAnotherNodeHasThatTheImportLeavesAsItIs) {
  Site site;
  Known known;
  known.held = {{claimOfMac("3c:6d:66:00:00:01"), "B7"}, {claimOfAddress("127.1.0.1", 443), "B8"}};
  const auto complaint = site.wrong(known);
  EXPECT_THAT(
      complaint,
      ElementsAre("manifest.yaml:8:17: MAC 3c:6d:66:00:00:01 is B7's: retire that node, or correct one of "
                  "the two",
                  "manifest.yaml:8:47: address 127.1.0.1 port 443 is B8's: retire that node, or correct "
                  "one of the two"));
  known.held = {{claimOfMac("3c:6d:66:00:00:01"), "A1"}};
  EXPECT_THAT(complaints(site.read(known)), ElementsAre()) << "it is the node itself";
}

TEST(Bundle, NodesWithoutAnAddressHaveNoneInCommon) {
  Site site;
  site.change("manifest.yaml", ", address: \"127.1.0.1\"", "");
  site.files["more.yaml"] = site.files["manifest.yaml"];
  site.change("more.yaml", "serial: A1", "serial: A2");
  site.change("more.yaml", "00:01", "00:02");
  site.change("more.yaml", "U10", "U11");
  EXPECT_THAT(site.wrong(), ElementsAre());
}

TEST(Bundle, TellsWhatIsWrongInEveryFileAtOnceAndGivesNothing) {
  Site site;
  site.change("sku.yaml", "count: 4", "count: four");
  site.change("plan.yaml", "minutes: 1", "hours: 1");
  site.change("manifest.yaml", "sku: tray",
              "sku: unknown");  // not told while files are unreadable: sku.yaml may be it
  EXPECT_THAT(site.wrong(), ElementsAre("plan.yaml:2:10: a test needs either minutes or seconds",
                                        "plan.yaml:2:21: unknown key 'hours' in a test",
                                        "sku.yaml:3:35: 'four' is not a whole number"));
}

TEST(Bundle, NeedsFilesThatCanBeRead) {
  Folder folder;
  EXPECT_THAT(complaints(readBundle({})), ElementsAre(": no file was named"));
  EXPECT_THAT(complaints(readBundle({folder.path()})),
              ElementsAre(folder.path().string() + ": holds no .yaml file"));
  const auto none = folder.path() / "none.yaml";
  EXPECT_THAT(complaints(readBundle({none})), ElementsAre(none.string() + ": no such file"));
  EXPECT_THAT(complaints(readBundle({"/dev/zero"})), ElementsAre("/dev/zero: no such file"));
}

}  // namespace
}  // namespace zellige
