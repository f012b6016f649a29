// zellige backup: a file that is whole and nobody else's, or none.
#include <fstream>

#include "controller/base/digest.hpp"
#include "tests/cli/command_line.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class BackupCommand : public CommandLine {
 protected:
  BackupCommand() {
    server_.on("POST /api/v1/backups", 201,
               {{"id", "ab12"},
                {"made", "2026-11-27T07:00:00Z"},
                {"bytes", 11},
                {"sha256", sha256Hex("hello world")},
                {"part_bytes", 8},
                {"parts", 2}});
    server_.onBytes("GET /api/v1/backups/ab12/parts/0", "hello wo");
    server_.on("DELETE /api/v1/backups/ab12", 204, nullptr);
  }
  std::string text() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> filesThere() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(home_)) out.push_back(entry.path().filename());
    return out;
  }
  const fs::path file_ = home_ / "site.db";
};

TEST_F(BackupCommand, FetchesEveryPartAndRemovesItThere) {
  server_.onBytes("GET /api/v1/backups/ab12/parts/1", "rld");
  EXPECT_EQ(run({"backup", file_.string(), "--reason", "weekly"}), 0) << err();
  EXPECT_EQ(text(), "hello world");
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(filesThere(), testing::ElementsAre("site.db"));
  ASSERT_EQ(server_.requests.size(), 4u);
  EXPECT_EQ(sent(0), (Json{{"reason", "weekly"}}));
  EXPECT_EQ(server_.requests[1].headers.get("Accept"), "application/octet-stream");
  EXPECT_EQ(server_.requests[3].method, "DELETE");
  EXPECT_THAT(out(), HasSubstr(sha256Hex("hello world")));
  EXPECT_THAT(out(), HasSubstr("Not in it: site.key"));
}

TEST_F(BackupCommand, KeepsNothingThatIsNotWhatTheControllerMade) {
  server_.onBytes("GET /api/v1/backups/ab12/parts/1", "rle");
  EXPECT_EQ(run({"backup", file_.string()}), 1);
  EXPECT_THAT(err(), HasSubstr("is not what the controller made"));
  EXPECT_TRUE(filesThere().empty());
  EXPECT_EQ(server_.requests.back().method, "DELETE");
}

TEST_F(BackupCommand, KeepsNothingWhenItBreaksOff) {
  EXPECT_EQ(run({"backup", file_.string()}), 1) << "the second part is not there";
  EXPECT_TRUE(filesThere().empty());
  EXPECT_EQ(server_.requests.back().method, "DELETE");
}

TEST_F(BackupCommand, TakesNoMoreThanWasTold) {
  server_.onBytes("GET /api/v1/backups/ab12/parts/1", "rld and whatever fills a disk");
  EXPECT_EQ(run({"backup", file_.string()}), 1);
  EXPECT_THAT(err(), HasSubstr("more than it told"));
  EXPECT_TRUE(filesThere().empty());
}

TEST_F(BackupCommand, AsksForNothingIfTheFileCannotBeNew) {
  std::ofstream(file_) << "mine";
  EXPECT_EQ(run({"backup", file_.string()}), 2);
  EXPECT_THAT(err(), HasSubstr("is there already"));
  EXPECT_EQ(text(), "mine");
  EXPECT_EQ(run({"backup", (home_ / "nowhere" / "x.db").string()}), 2);
  fs::create_symlink(home_ / "elsewhere", home_ / "link.db");
  EXPECT_EQ(run({"backup", (home_ / "link.db").string()}), 2) << "a link is something, wherever it leads";
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(BackupCommand, GivesJsonForScripts) {
  server_.onBytes("GET /api/v1/backups/ab12/parts/1", "rld");
  EXPECT_EQ(run({"backup", file_.string(), "-o", "json"}), 0) << err();
  const auto told = Json::parse(out());
  EXPECT_EQ(told.at("file"), file_.string());
  EXPECT_EQ(told.at("bytes"), 11);
}

}  // namespace
}  // namespace zellige::cli
