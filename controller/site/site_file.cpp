#include "controller/site/site_file.hpp"

#include "controller/site/site_reader.hpp"

namespace zellige {

void Mentions::add(Mention::Of of, const std::string& name, const std::string& expects, Spot spot) {
  if (!seen_.emplace(of, name, expects).second) return;
  const auto place = problems_.at(spot, {});
  file_.mentions.push_back({of, name, expects, place.line, place.column});
}

void Unique::add(const std::string& value, Spot spot) {
  if (value.empty()) return;  // told already
  const auto [first, isNew] = first_.emplace(value, spot);
  if (!isNew)
    problems_.add(spot, fmt::format("{} {} is given twice; first in line {}", what_, quote(value),
                                    problems_.lineOf(first->second)));
}

std::string readInnerPath(const Fields& fields, std::string_view key) {
  const auto value = fields.need(key);
  if (!value) return {};
  auto path = readText(*value, fields.problems(), Letters::Path);
  const auto surrounded = "/" + path + "/";
  if (path.starts_with('/') || surrounded.find("/../") != std::string::npos)
    fields.problems().add(value->spot(), fmt::format("{} must be a path inside the bundle", quote(path)));
  return path;
}

namespace {

constexpr std::string_view whatItIs =
    "the first key tells what a file is: site, sku, baseline, plan, profile or recipe";

template <class T>
Reading<T> as(Reading<SiteFile> reading, std::string_view wanted) {
  if (auto* problems = std::get_if<std::vector<Problem>>(&reading)) return std::move(*problems);
  auto& file = std::get<SiteFile>(reading);
  if (auto* value = std::get_if<T>(&file.value)) return std::move(*value);
  return std::vector<Problem>{{file.file, 1, 1, fmt::format("this is no {}; {}", wanted, whatItIs)}};
}

}  // namespace

Reading<SiteFile> readSiteFile(std::string name, std::string_view text) {
  Source source(name, text);
  auto& problems = source.problems;
  if (!problems.none()) return problems.take();

  const auto root = source.document.root();
  if (root.kind() != Document::Kind::Map || root.empty()) {
    problems.add(root.spot(), std::string(whatItIs));
    return problems.take();
  }
  const Value first = *root.begin();
  SiteFile file{std::move(name), {}, {}, {problems.lineOf(first.spot())}};
  if (first.text() == "site")
    file.value = readManifest(root, problems, file);
  else if (first.text() == "sku")
    file.value = readSku(root, problems);
  else if (first.text() == "baseline")
    file.value = readBaseline(root, problems, file);
  else if (first.text() == "plan")
    file.value = readPlan(root, problems);
  else if (first.text() == "profile")
    file.value = readProfile(root, problems, file);
  else if (first.text() == "recipe")
    file.value = readRecipe(root, problems);
  else
    problems.add(first.spot(), fmt::format("{} begins no file of a site; {}", quote(first.text()), whatItIs));
  return source.give(std::move(file));
}

Reading<Manifest> readManifest(std::string file, std::string_view text) {
  return as<Manifest>(readSiteFile(std::move(file), text), "manifest");
}
Reading<Sku> readSku(std::string file, std::string_view text) {
  return as<Sku>(readSiteFile(std::move(file), text), "SKU");
}
Reading<Baseline> readBaseline(std::string file, std::string_view text) {
  return as<Baseline>(readSiteFile(std::move(file), text), "baseline");
}
Reading<Profile> readProfile(std::string file, std::string_view text) {
  return as<Profile>(readSiteFile(std::move(file), text), "profile");
}
Reading<Plan> readPlan(std::string file, std::string_view text) {
  return as<Plan>(readSiteFile(std::move(file), text), "plan");
}
Reading<Recipe> readRecipe(std::string file, std::string_view text) {
  return as<Recipe>(readSiteFile(std::move(file), text), "recipe");
}

}  // namespace zellige
