// zellige import: what is sent, in which order, and what is said of mistakes.
#include <fstream>

#include "controller/base/digest.hpp"
#include "tests/cli/command_line.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;

class ImportCommand : public CommandLine {
 protected:
  ImportCommand() {
    std::filesystem::create_directories(home_ / "site" / "images");
    write("site/manifest.yaml", "site: lab\n");
    write("site/profile.yml", "image: { sha256: " + digest_ + " }\n");
    write("site/images/os.img", "an image");
    write("site/notes.txt", "nothing names this");
    write("site/.hidden.yaml", "no");
    result_ = {{"dry_run", false},     {"nodes_added", 18},      {"nodes_changed", 0},
               {"nodes_unchanged", 0}, {"documents_changed", 4}, {"documents_unchanged", 0},
               {"files_added", 1},     {"changed", true}};
  }
  void write(const std::string& path, const std::string& text) {
    std::ofstream(home_ / path, std::ios::binary) << text;
  }
  const std::string digest_ = sha256Hex("an image");
  Json result_;
};

TEST_F(ImportCommand, SendsWhatIsNamedAndThenTheTexts) {
  server_.on("PUT /api/v1/files/" + digest_, 201, {{"state", "stored"}});
  server_.on("POST /api/v1/import", 200, result_);
  EXPECT_EQ(run({"import", (home_ / "site").string(), "--reason", "phase 1"}), 0) << err();
  ASSERT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(server_.requests[1].body, "an image");
  EXPECT_EQ(server_.requests[1].headers.get("Content-Range"), "bytes 0-7/8");
  const auto body = sent(2);
  EXPECT_EQ(body.at("reason"), "phase 1");
  ASSERT_EQ(body.at("files").size(), 3u);
  EXPECT_EQ(body.at("files")[0], (Json{{"path", "manifest.yaml"}, {"text", "site: lab\n"}}));
  EXPECT_EQ(body.at("files")[2], (Json{{"path", "images/os.img"}, {"sha256", digest_}}));
  EXPECT_THAT(out(), HasSubstr("Nodes added:          18"));
}

TEST_F(ImportCommand, GoesOnWhereAnUploadStopped) {
  server_.on("GET /api/v1/files/" + digest_, 200, {{"state", "partial"}, {"received", 3}});
  server_.on("PUT /api/v1/files/" + digest_, 201, {{"state", "stored"}});
  server_.on("POST /api/v1/import?dry_run=true", 200, result_);
  EXPECT_EQ(run({"import", (home_ / "site").string(), "--dry-run"}), 0) << err();
  EXPECT_EQ(server_.requests[1].headers.get("Content-Range"), "bytes 3-7/8");
  EXPECT_EQ(server_.requests[1].body, "image");
}

TEST_F(ImportCommand, TellsFileAndLineOfWhatIsWrong) {
  server_.on("GET /api/v1/files/" + digest_, 200, {{"state", "stored"}, {"received", 8}});
  server_.on(
      "POST /api/v1/import", 422,
      {{"detail", "nothing was taken"},
       {"problems",
        {{{"file", "manifest.yaml"}, {"line", 12}, {"column", 5}, {"reason", "missing key 'serial'"}}}}});
  EXPECT_EQ(run({"import", (home_ / "site").string()}), 1);
  EXPECT_THAT(err(), HasSubstr("\n  manifest.yaml:12:5: missing key 'serial'\n"));
  EXPECT_EQ(run({"import", (home_ / "nowhere").string()}), 2);
  EXPECT_EQ(run({"import", (home_ / "site" / "images").string()}), 2) << "no YAML in there";
}

}  // namespace
}  // namespace zellige::cli
