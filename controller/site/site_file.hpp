// One file of a site: a manifest, a SKU, a baseline, a profile, a plan or a recipe. What it is, its first key tells.
// References to other files are kept as mentions; bundle.hpp resolves them.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/model/catalog.hpp"
#include "controller/site/document.hpp"

namespace zellige {

/// A reference out of a file, kept where it first stands.
struct Mention {
  enum class Of { Sku, Profile, Baseline, Plan, Recipe, Package, Image, Version };
  Of of;
  std::string name;     ///< of the SKU …; path of the package or image; the version
  std::string expects;  ///< Sku: the kind of the nodes; Profile: their SKU; Package, Image, Version: the digest
  int line = 0, column = 0;
};

/// Where in its file the things stand that only one node may have.
struct NodePositions {
  struct Position {
    int line = 0, column = 0;  ///< 0: it is not there
  };
  Position serial, place, mac, address, osAddress;
};

struct SiteFile {
  std::string file;
  std::variant<Manifest, Sku, Baseline, Profile, Plan, Recipe> value;
  std::vector<Mention> mentions;
  std::vector<int> lines;  ///< of a manifest's nodes, in order; of anything else: one, its name's
  std::vector<NodePositions> positions;  ///< of a manifest's nodes, in order
};

/// The rules: DESIGN 5 and docs/operations; every violation is told with its place. Inside one manifest a
/// serial, a MAC, an address with port and a place are unique.
Reading<SiteFile> readSiteFile(std::string file, std::string_view text);

/// As readSiteFile, for one kind of file; another kind is a problem.
Reading<Manifest> readManifest(std::string file, std::string_view text);
Reading<Sku> readSku(std::string file, std::string_view text);
Reading<Baseline> readBaseline(std::string file, std::string_view text);
Reading<Profile> readProfile(std::string file, std::string_view text);
Reading<Plan> readPlan(std::string file, std::string_view text);
Reading<Recipe> readRecipe(std::string file, std::string_view text);

}  // namespace zellige
