// Packages that are tar files with a MANIFEST.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "controller/site/package.hpp"
#include "tests/folder.hpp"

namespace zellige {
namespace {

/// As `tar` writes a MANIFEST and an image.
std::string shelfPackage() {
  const std::string manifest = "purpose=pmc\nversion=r1.4.2\nId=1\n";
  std::string out(512, '\0');
  out.replace(0, 8, "MANIFEST");
  out.replace(124, 11, "00000000040");
  out.replace(257, 5, "ustar");
  out += manifest;
  out.resize(4096, '\0');
  return out;
}

TEST(TarPackage, HoldsTheVersionOfItsManifest) {
  const Folder folder;
  const auto file = folder.path() / "pmc.tar";
  std::ofstream(file, std::ios::binary) << shelfPackage();
  const auto versions = versionsOfPackage(file);
  ASSERT_TRUE(versions) << versions.error().what;
  EXPECT_THAT(*versions, testing::ElementsAre("r1.4.2"));
}

TEST(TarPackage, CutInItsManifestIsRefused) {
  const auto whole = shelfPackage();
  const auto manifest = whole.find("version=") + 8 + std::string_view("r1.4.2").size();
  for (std::size_t length = 0; length < manifest; ++length)
    EXPECT_FALSE(versionOfTar(std::string_view(whole).substr(0, length))) << length;
}

TEST(TarPackage, WhatIsNoManifestOrTooLongOrEmptyIsRefused) {
  const auto whole = shelfPackage();
  const auto with = [&](std::size_t at, std::string_view text) {
    auto changed = whole;
    changed.replace(at, text.size(), text);
    return versionOfTar(changed);
  };
  EXPECT_FALSE(with(0, "IMAGE\0\0\0"));
  for (const auto* size : {"77777777777", "99999999999", "-0000000001", "00000100000"})
    EXPECT_FALSE(with(124, size)) << size;
  EXPECT_FALSE(with(whole.find("version="), "nothing="));
  EXPECT_EQ(versionsOfPackage("/nowhere/a.tar").error().code, Errc::NotFound);
}

}  // namespace
}  // namespace zellige
