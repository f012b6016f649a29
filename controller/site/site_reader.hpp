// Inside controller/site only: how the readers of the several kinds of file put a SiteFile together.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "controller/site/fields.hpp"
#include "controller/site/site_file.hpp"

namespace zellige {

/// The mentions of one file, each once.
class Mentions {
 public:
  Mentions(const Problems& problems, SiteFile& file) : problems_(problems), file_(file) {}
  void add(Mention::Of of, const std::string& name, const std::string& expects, Spot spot);

 private:
  const Problems& problems_;
  SiteFile& file_;
  std::set<std::tuple<Mention::Of, std::string, std::string>> seen_;
};

/// Values that may occur once; the second is told, with the line of the first.
class Unique {
 public:
  Unique(Problems& problems, std::string_view what) : problems_(problems), what_(what) {}
  void add(const std::string& value, Spot spot);

 private:
  Problems& problems_;
  std::string_view what_;
  std::unordered_map<std::string, Spot> first_;
};

Manifest readManifest(Value root, Problems& problems, SiteFile& file);
Sku readSku(Value root, Problems& problems);
Plan readPlan(Value root, Problems& problems);
Recipe readRecipe(Value root, Problems& problems);
Baseline readBaseline(Value root, Problems& problems, SiteFile& file);
Profile readProfile(Value root, Problems& problems, SiteFile& file);

/// A path relative to the bundle: not absolute, without "..".
std::string readInnerPath(const Fields& fields, std::string_view key);

}  // namespace zellige
