#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/site/site_file.hpp"
#include "tests/site/reading.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

TEST(RecipeFile, ReadsMembersAndStages) {
  const auto reading = readRecipe("r.yaml", R"(recipe: nvl72
members: { compute_tray: 18, switch_tray: 9 }
stages:
  - { id: dry, workflow: check_leaks, of: [compute_tray, switch_tray], at_least: 20 }
  - { id: domain, workflow: qualify_domain, of: [switch_tray], after: [dry] }
)");
  ASSERT_THAT(complaints(reading), ElementsAre());
  const auto& recipe = std::get<Recipe>(reading);
  EXPECT_EQ(recipe.members.at(NodeKind::ComputeTray), 18);
  ASSERT_EQ(recipe.stages.size(), 2u);
  EXPECT_EQ(recipe.membersOf(recipe.stages[0]), 27);
  EXPECT_EQ(recipe.stages[0].atLeast, 20);
  EXPECT_THAT(recipe.stages[1].after, ElementsAre("dry"));
  EXPECT_FALSE(recipe.stages[1].atLeast);
}

TEST(RecipeFile, RefusesWhatCouldNeverFinish) {
  EXPECT_THAT(
      complaints(readRecipe("r.yaml", R"(recipe: r
members: { compute_tray: 18 }
stages:
  - { id: a, workflow: u, of: [compute_tray], after: [b] }
  - { id: b, workflow: v, of: [compute_tray], after: [b] }
  - { id: c, workflow: w, of: [power_shelf] }
  - { id: d, workflow: x, of: [] }
  - { id: e, workflow: x, of: [compute_tray], at_least: 0 }
  - { id: f, workflow: y, of: [compute_tray], at_least: 19 }
  - { id: a, workflow: z, of: [compute_tray, compute_tray] }
)")),
      ElementsAre("r.yaml:4:55: 'b' is no stage above this one", "r.yaml:5:55: 'b' is no stage above this one",
                  "r.yaml:6:32: the rack has no power_shelf: add it to members",
                  "r.yaml:7:31: a stage of nothing is never done",
                  "r.yaml:8:57: '0' is out of range: 1 to 18", "r.yaml:9:57: '19' is out of range: 1 to 18",
                  "r.yaml:10:11: stage 'a' is given twice; first in line 4",
                  "r.yaml:10:46: kind 'compute_tray' is given twice; first in line 10",
                  "r.yaml:10:46: workflow 'z of a compute_tray' is given twice; first in line 10"));
  EXPECT_THAT(complaints(readRecipe("r.yaml", "recipe: r\nmembers: {}\nstages: []\n")),
              ElementsAre("r.yaml:2:10: a rack without members is never complete",
                          "r.yaml:3:9: a recipe without stages brings nothing up"));
}

TEST(RecipeFile, RefusesWhatWouldBeAcceptedUntouchedOrDoneTwice) {
  EXPECT_THAT(complaints(readRecipe("r.yaml", R"(recipe: r
members: { compute_tray: 18, switch_tray: 9 }
stages:
  - { id: a, workflow: x, of: [compute_tray] }
  - { id: b, workflow: x, of: [compute_tray] }
)")),
              ElementsAre("r.yaml:1:1: no stage is of a switch_tray: it would be accepted untouched",
                          "r.yaml:5:32: workflow 'x of a compute_tray' is given twice; first in line 4"));
}

TEST(ManifestFile, NamesTheRacksThatComeUpByARecipe) {
  const std::string nodes =
      "site: S\nnodes:\n  - { serial: A, kind: power_shelf, place: H1/R01/RK001/U04, sku: s, profile: p,\n"
      "      bmc: { mac: \"3c:6d:66:00:00:01\", address: 10.0.0.1, user: root, password: x } }\n";
  const auto good = readManifest("m.yaml", nodes + "racks:\n  - { place: H1/R01/RK001, recipe: r }\n");
  ASSERT_THAT(complaints(good), ElementsAre());
  EXPECT_EQ(std::get<Manifest>(good).racks.at(0).place, "H1/R01/RK001");
  EXPECT_THAT(
      complaints(readManifest("m.yaml", nodes + "racks:\n  - { place: H1/RK001, recipe: r }\n")),
      ElementsAre("m.yaml:6:14: 'H1/RK001' is no place: hall/row/rack, each 1 to 16 of A-Z a-z 0-9 _ -"));
}

}  // namespace
}  // namespace zellige
