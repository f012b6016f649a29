// A whole site as its owner hands it over: files and directories of YAML, with the packages and images they
// name. Read and cross-checked as one: all of it is good, or nothing is taken and everything wrong is told.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/model/catalog.hpp"
#include "controller/protocol/agent.hpp"
#include "controller/site/document.hpp"

namespace zellige {

/// What the store has already, so that a bundle may refer to it. A bundle may also replace it.
struct Known {
  std::map<std::string, NodeKind> skus;
  std::map<std::string, std::string> profiles;  ///< name → SKU
  std::set<std::string> baselines, plans, recipes;
  std::map<std::string, std::vector<std::string>> packages;  ///< digest → versions of its components
  std::set<std::string> images;                              ///< digests
  std::map<std::string, std::string> held;  ///< what one node alone may have (claimOfMac, …) → its serial
};

std::string claimOfMac(const std::string& mac);
std::string claimOfAddress(const std::string& address, int port);

struct SiteBundle {
  struct Package {
    StoredFile file;
    std::filesystem::path path;
    std::vector<std::string> versions;  ///< that it holds
  };
  struct Image {
    StoredFile file;
    std::filesystem::path path;
    ImageManifest manifest;
  };
  std::vector<Manifest> manifests;
  std::vector<Sku> skus;
  std::vector<Baseline> baselines;
  std::vector<Profile> profiles;
  std::vector<Plan> plans;
  std::vector<Recipe> recipes;
  std::vector<Package> packages;  ///< each digest once; those that only the store has are not here
  std::vector<Image> images;
};

/// Of a directory, every *.yaml and *.yml below it is read (hidden ones are not), in order of name. Packages
/// and images are looked for beside the file that names them, then from the directory that was given; one
/// that is not there is accepted if `known` has its digest. Their content is hashed as a stream. Checked:
/// names known and unique; nodes unique over all manifests; SKUs fit their nodes' kind and profiles their
/// nodes' SKU; content has the digest told; packages can be opened (package.hpp) and hold the versions that
/// baselines want from them.
Reading<SiteBundle> readBundle(const std::vector<std::filesystem::path>& paths, const Known& known = {});

}  // namespace zellige
