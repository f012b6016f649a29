#include "controller/site/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fmt/format.h>

#include "tests/folder.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

/// What coreutils says of `command`'s output.
std::string sha256sum(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " | sha256sum").c_str(), "r"), pclose);
  char digest[65] = {};
  EXPECT_EQ(std::fread(digest, 1, 64, pipe.get()), 64u) << command;
  return digest;
}

std::string content(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 1;
  for (auto& byte : bytes) byte = static_cast<char>((x = x * 1664525u + 1013904223u) >> 24);
  return bytes;
}

TEST(Image, HashesTheWholeAndEveryChunkAsCoreutilsDoes) {
  Folder folder;
  const auto file = folder.write("disk.raw", content((3u << 20) + 12'345));
  const auto manifest = chunkImage(file, 1u << 20);
  ASSERT_TRUE(manifest) << manifest.error().what;
  EXPECT_EQ(manifest->size, (3u << 20) + 12'345);
  EXPECT_EQ(manifest->chunkSize, 1u << 20);
  EXPECT_EQ(manifest->digest, sha256sum(fmt::format("cat {}", file.string())));
  ASSERT_EQ(manifest->chunkDigests.size(), 4u);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(manifest->chunkDigests[static_cast<std::size_t>(i)],
              sha256sum(fmt::format("tail -c +{} {} | head -c 1048576", i * 1048576 + 1, file.string())));
}

TEST(Image, CutsWholeChunksWithoutAnEmptyLastOne) {
  Folder folder;
  EXPECT_EQ(chunkImage(folder.write("a", content(4096)), 1024)->chunkDigests.size(), 4u);
  EXPECT_EQ(chunkImage(folder.write("b", content(4097)), 1024)->chunkDigests.size(), 5u);
  EXPECT_EQ(chunkImage(folder.write("c", content(1)), 1024)->chunkDigests.size(), 1u);
  EXPECT_EQ(chunkImage(folder.write("d", content(5000)))->chunkSize, defaultChunkSize);
}

TEST(Image, SmallerThanAChunkHasOneDigestForBoth) {
  Folder folder;
  const auto manifest = chunkImage(folder.write("a", "abc"));
  ASSERT_TRUE(manifest);
  // FIPS 180-4, example of "abc".
  EXPECT_EQ(manifest->digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(manifest->chunkDigests, ElementsAre(manifest->digest));
}

TEST(Image, IsRefusedWhenItCannotBeOne) {
  Folder folder;
  EXPECT_EQ(chunkImage(folder.path() / "none").error().code, Errc::NotFound);
  EXPECT_EQ(chunkImage(folder.path()).error().code, Errc::NotFound);
  EXPECT_EQ(chunkImage(folder.write("empty", "")).error().code, Errc::Invalid);
  EXPECT_EQ(chunkImage(folder.write("a", "abc"), 0).error().code, Errc::Invalid);
  const auto huge = folder.write("sparse", "");
  std::filesystem::resize_file(huge, 5'000'000);
  EXPECT_EQ(chunkImage(huge, 4).error().code, Errc::Invalid);
}

}  // namespace
}  // namespace zellige
