// Tables for a terminal.
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "controller/cli/table.hpp"

namespace zellige::cli {
namespace {

using testing::HasSubstr;

TEST(Tables, AreAsWideAsTheyNeedWhereNothingLimitsThem) {
  Table table({"ID", "CAUSE", "DETAIL"});
  table.add({"1", "bmc.password_change", std::string(200, 'x')});
  std::ostringstream out;
  table.print(out, 0);
  EXPECT_THAT(out.str(), HasSubstr("bmc.password_change  " + std::string(200, 'x')));
}

TEST(Tables, CutTheSentenceInTheLastColumnBeforeWhatOneLooksUp) {
  Table table({"ID", "CAUSE", "DETAIL"});
  table.add({"1", "bmc.password_change", std::string(200, 'x')});
  std::ostringstream out;
  table.print(out, 60);
  EXPECT_THAT(out.str(), HasSubstr("bmc.password_change  x"));
  EXPECT_THAT(out.str(), HasSubstr("x…\n"));
}

TEST(Tables, FitTheirTerminalAndCountCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"é", std::string(300, 'x')});
  table.add({std::string(50, 'y'), "z"});
  std::ostringstream out;
  table.print(out, 100);
  std::string line;
  for (std::istringstream lines(out.str()); std::getline(lines, line);) {
    const auto characters = std::count_if(
        line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    EXPECT_LE(characters, 100);
  }
  EXPECT_THAT(out.str(), HasSubstr("…"));
  EXPECT_THAT(out.str(), HasSubstr("é" + std::string(49, ' ')));
}

}  // namespace
}  // namespace zellige::cli
