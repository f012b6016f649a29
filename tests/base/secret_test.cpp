#include "controller/base/secret.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "controller/base/digest.hpp"

namespace zellige {
namespace {

TEST(SecretBox, OpensWhatItSealedAndNothingElse) {
  const auto box = SecretBox::fromSeed("one");
  const auto sealed = box.seal(Secret{"canary-4711"});
  EXPECT_EQ(sealed.find("canary"), std::string::npos);
  const auto opened = box.open(sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->reveal(), "canary-4711");
  EXPECT_FALSE(SecretBox::fromSeed("two").open(sealed));
  auto damaged = sealed;
  damaged[sealed.size() / 2] = damaged[sealed.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(box.open(damaged));
}

TEST(SecretBox, KeepsItsKeyInAPrivateFile) {
  const auto file = std::filesystem::temp_directory_path() / ("zellige-key-" + randomHex(4));
  EXPECT_EQ(SecretBox::read(file).error().code, Errc::NotFound);
  const auto made = SecretBox::make(file);
  ASSERT_TRUE(made);
  const auto sealed = made->seal(Secret{"x"});
  const auto again = SecretBox::read(file);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->open(sealed));
  EXPECT_EQ(made->sign("node 7"), again->sign("node 7"));
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
  const auto open = SecretBox::read(file);
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().what.find("chmod 600"), std::string::npos);
  std::filesystem::remove(file);
}

TEST(Digest, MatchesThePublishedVectors) {
  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(toBase64("zellige"), "emVsbGlnZQ==");
  EXPECT_EQ(*fromBase64("emVsbGlnZQ=="), "zellige");
  EXPECT_FALSE(fromBase64("not base64!"));
}

}  // namespace
}  // namespace zellige
