// Reader of recipes.
#include <algorithm>
#include <map>
#include <set>

#include "controller/site/site_reader.hpp"

namespace zellige {

namespace {

constexpr int kMostMembers = 512;  // of one kind, in one rack

std::map<NodeKind, int> readMembers(Value value, Problems& problems) {
  const Fields fields(value, problems, "members", {"compute_tray", "switch_tray", "power_shelf"});
  std::map<NodeKind, int> members;
  for (const auto& [kind, name] : EnumNames<NodeKind>::table)
    if (fields.find(name)) members[kind] = static_cast<int>(fields.whole(name, 1, kMostMembers));
  if (value.kind() == Document::Kind::Map && members.empty())
    problems.add(value.spot(), "a rack without members is never complete");
  return members;
}

class StageReader {
 public:
  StageReader(Problems& problems, const Recipe& recipe) : problems_(problems), recipe_(recipe) {}

  Recipe::Stage read(Value value) {
    const Fields fields(value, problems_, "a stage", {"id", "workflow", "of", "after", "at_least"});
    Recipe::Stage stage;
    stage.id = fields.text("id", Letters::Id);
    if (const auto id = fields.find("id")) ids_.add(stage.id, id->spot());
    stage.workflow = fields.text("workflow", Letters::Id);
    readKinds(fields, stage);
    if (fields.find("after"))
      for (const auto item : fields.items("after")) stage.after.push_back(readEarlier(item));
    const int all = recipe_.membersOf(stage);
    if (fields.find("at_least"))
      stage.atLeast = static_cast<int>(fields.whole("at_least", 1, std::max(1, all)));
    earlier_.insert(stage.id);
    return stage;
  }

 private:
  void readKinds(const Fields& fields, Recipe::Stage& stage) {
    Unique kinds(problems_, "kind");
    for (const auto item : fields.items("of", "a stage of nothing is never done")) {
      stage.of.push_back(readName<NodeKind>(item, problems_, "a kind of node"));
      kinds.add(std::string(item.text()), item.spot());
      ways_.add(fmt::format("{} of a {}", stage.workflow, item.text()), item.spot());
      if (!recipe_.members.empty() && !recipe_.members.contains(stage.of.back()))
        problems_.add(item.spot(),
                      fmt::format("the rack has no {}: add it to members", nameOf(stage.of.back())));
    }
  }

  // Only what stands above it: so no stage waits for itself, however far around.
  std::string readEarlier(Value value) {
    auto id = readText(value, problems_, Letters::Id);
    if (!id.empty() && !earlier_.contains(id))
      problems_.add(value.spot(), fmt::format("{} is no stage above this one", quote(id)));
    return id;
  }

  Problems& problems_;
  const Recipe& recipe_;
  Unique ids_{problems_, "stage"}, ways_{problems_, "workflow"};
  std::set<std::string> earlier_;
};

}  // namespace

Recipe readRecipe(Value root, Problems& problems) {
  const Fields fields(root, problems, "a recipe", {"recipe", "members", "stages"});
  Recipe recipe;
  recipe.name = fields.text("recipe", Letters::Name);
  if (const auto members = fields.need("members")) recipe.members = readMembers(*members, problems);
  StageReader stages(problems, recipe);
  for (const auto item : fields.items("stages", "a recipe without stages brings nothing up"))
    recipe.stages.push_back(stages.read(item));
  for (const auto& [kind, wanted] : recipe.members)
    if (std::none_of(recipe.stages.begin(), recipe.stages.end(), [kind = kind](const auto& stage) {
          return std::find(stage.of.begin(), stage.of.end(), kind) != stage.of.end();
        }))
      problems.add(fields.spot(),
                   fmt::format("no stage is of a {}: it would be accepted untouched", nameOf(kind)));
  return recipe;
}

}  // namespace zellige
