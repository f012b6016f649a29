#include "controller/base/durable_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/folder.hpp"

namespace zellige {
namespace {

namespace fs = std::filesystem;

class DurableFile : public testing::Test {
 protected:
  std::string content(const std::string& name) const {
    std::ifstream in(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  unsigned mode(const std::string& name) const {
    return static_cast<unsigned>(fs::status(directory_ / name).permissions());
  }
  Folder folder_;
  const fs::path directory_ = folder_.path();
};

TEST_F(DurableFile, HasItsModeWhateverTheMaskAndALeftoverSay) {
  std::ofstream(directory_ / "key.new") << "left by a crash, readable by all";
  const auto mask = ::umask(0);
  ASSERT_TRUE(writeDurably(directory_ / "key", "secret", 0600));
  ::umask(077);
  ASSERT_TRUE(writeDurably(directory_ / "certificate", "public", 0644));
  ::umask(mask);
  EXPECT_EQ(content("key"), "secret");
  EXPECT_EQ(mode("key"), 0600u);
  EXPECT_EQ(mode("certificate"), 0644u);
  EXPECT_FALSE(fs::exists(directory_ / "key.new"));
}

TEST_F(DurableFile, ReplacesAsAWholeOrNotAtAll) {
  ASSERT_TRUE(writeDurably(directory_ / "a", "before", 0600));
  ASSERT_TRUE(writeDurably(directory_ / "a", "after", 0600));
  EXPECT_EQ(content("a"), "after");
  const auto refused = writeDurably(directory_ / "nowhere" / "a", "x", 0600);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("nowhere/a: No such file"), std::string::npos) << refused.error().what;
  fs::create_directory(directory_ / "taken");
  EXPECT_FALSE(writeDurably(directory_ / "taken", "x", 0600));
  EXPECT_FALSE(fs::exists(directory_ / "taken.new")) << "nothing half done stays";
}

}  // namespace
}  // namespace zellige
