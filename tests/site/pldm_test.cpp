#include "controller/site/pldm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/folder.hpp"
#include "tests/site/pldm_writer.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

PldmWriter twoImages(int revision = 1) {
  PldmWriter writer;
  writer.revision = revision;
  writer.version = std::string("GB200Nvl-24.12-8\0\0", 18);  // padded, as some are
  writer.images = {{"GB200Nvl-24.12-8", "first image", 0x10}, {"01.04.0031", std::string(5000, 'x'), 0x11}};
  return writer;
}

std::string reason(const PldmWriter& writer) {
  const auto bytes = writer.write();
  const auto package = readPldmHeader(bytes, bytes.size());
  return package ? "" : package.error().what;
}

TEST(Pldm, ReadsEveryFormatRevision) {
  for (int revision = 1; revision <= 4; ++revision) {
    SCOPED_TRACE(revision);
    const auto bytes = twoImages(revision).write();
    const auto package = readPldmHeader(bytes, bytes.size());
    ASSERT_TRUE(package) << package.error().what;
    EXPECT_EQ(package->formatRevision, revision);
    EXPECT_EQ(package->version, "GB200Nvl-24.12-8");
    EXPECT_EQ(package->setVersion, "SET:1");
    ASSERT_EQ(package->devices.size(), 1u);
    EXPECT_THAT(package->devices[0].components, ElementsAre(0, 1));
    ASSERT_EQ(package->devices[0].descriptors.size(), 2u);
    EXPECT_EQ(package->devices[0].descriptors[0].type, 1);
    EXPECT_EQ(package->devices[0].descriptors[1].data, std::string(16, 'u'));
    ASSERT_EQ(package->components.size(), 2u);
    const auto& first = package->components[0];
    EXPECT_EQ(first.classification, 0x000A);
    EXPECT_EQ(first.identifier, 0x10);
    EXPECT_EQ(first.comparisonStamp, 0xFFFFFFFFu);
    EXPECT_EQ(first.options, 2);
    EXPECT_EQ(first.activationMethods, 0x10);
    EXPECT_EQ(first.version, "GB200Nvl-24.12-8");
    EXPECT_EQ(bytes.substr(first.offset, first.size), "first image");
    EXPECT_EQ(package->components[1].size, 5000u);
    EXPECT_EQ(package->components[1].offset + 5000, bytes.size());
    EXPECT_TRUE(package->contains(" gb200nvl-24.12-8"));
    EXPECT_FALSE(package->contains("GB200Nvl-24.12-9"));
  }
}

TEST(Pldm, CutAnywhereIsRefused) {
  for (int revision = 1; revision <= 4; ++revision) {
    const auto bytes = twoImages(revision).write();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto package = readPldmHeader(std::string_view(bytes).substr(0, length), length);
      ASSERT_FALSE(package) << "revision " << revision << ", " << length << " of " << bytes.size() << " bytes";
      ASSERT_EQ(package.error().code, Errc::Invalid);
    }
  }
}

TEST(Pldm, AnyChangedBitOfTheHeaderIsRefused) {
  auto bytes = twoImages().write();
  const auto size = readPldmHeader(bytes, bytes.size())->headerSize;
  for (std::size_t bit = 0; bit < size * 8u; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(readPldmHeader(bytes, bytes.size())) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  EXPECT_TRUE(readPldmHeader(bytes, bytes.size()));
}

TEST(Pldm, SaysWhyAPackageIsRefused) {
  EXPECT_EQ(readPldmHeader("PK\3\4 a zip, not firmware", 24).error().what,
            "not a PLDM firmware package: its first 16 bytes are no known identifier");
  auto writer = twoImages();
  writer.breakChecksum = true;
  EXPECT_THAT(reason(writer), StartsWith("header checksum is "));
  writer = twoImages();
  writer.images[1].offsetError = 1;
  EXPECT_THAT(reason(writer), AllOf(StartsWith("image '01.04.0031' at "), HasSubstr("is not inside")));
  writer = twoImages();
  writer.images[0].offsetError = -1;
  EXPECT_THAT(reason(writer), StartsWith("image 'GB200Nvl-24.12-8' at "));
  writer = twoImages();
  writer.images[0].activation = 0x40;
  EXPECT_EQ(reason(writer), "activation methods 0x0040 are not known");
  writer = twoImages();
  writer.images.clear();
  EXPECT_EQ(reason(writer), "the package holds no image");
}

TEST(Pldm, ReadsAPackageWithoutDevices) {
  auto writer = twoImages();
  writer.withDevice = false;
  const auto bytes = writer.write();
  const auto package = readPldmHeader(bytes, bytes.size());
  ASSERT_TRUE(package);
  EXPECT_TRUE(package->devices.empty());
  EXPECT_EQ(package->setVersion, "");
}

TEST(Pldm, ShowsOnlyTextInVersions) {
  auto writer = twoImages();
  writer.images[0].version = "v\xFF\n1 ";
  const auto bytes = writer.write();
  const auto package = readPldmHeader(bytes, bytes.size());
  ASSERT_TRUE(package);
  EXPECT_EQ(package->components[0].version, "v??1");
}

TEST(Pldm, FindsVersionsOfANestedPackage) {
  Folder folder;
  PldmWriter outer;
  outer.images = {{"tray-1", "plain"}, {"hgx-bundle", twoImages().write()}};
  const auto package = readPldmPackage(folder.write("dgx.fwpkg", outer.write()));
  ASSERT_TRUE(package) << package.error().what;
  ASSERT_EQ(package->nested.size(), 1u);
  EXPECT_TRUE(package->contains("01.04.0031"));
  EXPECT_TRUE(package->contains("tray-1"));
  EXPECT_FALSE(package->contains("01.04.0032"));

  auto damaged = twoImages();
  damaged.breakChecksum = true;
  outer.images[1].content = damaged.write();
  const auto refused = readPldmPackage(folder.write("bad.fwpkg", outer.write()));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, StartsWith("image 'hgx-bundle' is a package, but header checksum"));
}

TEST(Pldm, NeedsARegularFile) {
  Folder folder;
  EXPECT_EQ(readPldmPackage(folder.path() / "none").error().code, Errc::NotFound);
  EXPECT_EQ(readPldmPackage(folder.path()).error().code, Errc::NotFound);
  EXPECT_EQ(readPldmPackage(folder.write("empty", "")).error().code, Errc::Invalid);
}

}  // namespace
}  // namespace zellige
