#include "controller/site/bundle.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <unordered_map>
#include <unordered_set>

#include "controller/base/digest.hpp"
#include "controller/site/fields.hpp"
#include "controller/site/image.hpp"
#include "controller/site/package.hpp"
#include "controller/site/site_file.hpp"

namespace zellige {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t mostFiles = 10'000;

struct Input {
  fs::path file, root;  ///< root: where contents are looked for besides the file's own directory
};

class BundleReader {
 public:
  explicit BundleReader(const Known& known) : known_(known) {}

  Reading<SiteBundle> read(const std::vector<fs::path>& paths) {
    for (const auto& path : paths) find(path);
    for (const auto& input : inputs_) readInput(input);
    if (problems_.empty()) checkNames();
    if (problems_.empty()) checkNodes();
    if (problems_.empty()) checkMentions();
    if (problems_.empty()) return take();
    if (problems_.size() > maxProblems) problems_.resize(maxProblems);
    return std::move(problems_);
  }

 private:
  void tell(const std::string& file, int line, int column, std::string reason) {
    if (problems_.size() < maxProblems) problems_.push_back({file, line, column, std::move(reason)});
  }
  void tell(const SiteFile& file, const Mention& mention, std::string reason) {
    tell(file.file, mention.line, mention.column, std::move(reason));
  }

  void find(const fs::path& path);
  void readInput(const Input& input);
  void checkNames();
  void checkNodes();
  /// `visit` is given the file, its manifest, and each node with its number in it.
  template <class Visit>
  void forEachNode(Visit visit) const {
    for (const auto& file : files_)
      if (const auto* manifest = std::get_if<Manifest>(&file.value))
        for (std::size_t i = 0; i < manifest->nodes.size(); ++i)
          visit(file, *manifest, i, manifest->nodes[i]);
  }
  void checkMentions();
  void check(const SiteFile& file, const fs::path& root, const Mention& mention);
  void checkVersion(const SiteFile& file, const Mention& mention);
  void takePackage(const SiteFile& file, const Mention& mention, const fs::path& path);
  void takeImage(const SiteFile& file, const Mention& mention, const fs::path& path);
  bool sameDigest(const SiteFile& file, const Mention& mention, const std::string& digest);
  SiteBundle take();

  template <class Names>
  void unknown(const SiteFile& file, const Mention& mention, std::string_view what, const Names& names) {
    std::vector<std::string_view> known;
    known.reserve(names.size());
    for (const auto& [name, value] : names) known.push_back(name);
    tell(file, mention, fmt::format("unknown {} {}{}", what, quote(mention.name), hint(mention.name, known)));
  }

  const Known& known_;
  std::vector<Problem> problems_;
  std::vector<Input> inputs_;
  std::vector<SiteFile> files_;
  std::vector<fs::path> roots_;  // of files_
  std::map<std::string, NodeKind> skus_;
  std::map<std::string, std::string> profiles_;
  std::map<std::string, bool> baselines_, plans_, recipes_;
  std::map<std::string, SiteBundle::Package> packages_;  // by digest
  std::map<std::string, SiteBundle::Image> images_;
};

void BundleReader::find(const fs::path& path) {
  std::error_code trouble;
  if (!fs::is_directory(path, trouble)) {
    inputs_.push_back({path, path.parent_path()});
    return;
  }
  std::vector<fs::path> found;
  fs::recursive_directory_iterator it(path, trouble), end;
  for (; !trouble && it != end; it.increment(trouble)) {
    const auto name = it->path().filename().string();
    if (name.starts_with('.')) {
      it.disable_recursion_pending();
    } else if (name.ends_with(".yaml") || name.ends_with(".yml")) {
      found.push_back(it->path());
      if (found.size() > mostFiles)
        return tell(path.string(), 0, 0, fmt::format("more than {} files", mostFiles));
    }
  }
  if (trouble) return tell(path.string(), 0, 0, fmt::format("cannot be listed: {}", trouble.message()));
  if (found.empty()) return tell(path.string(), 0, 0, "holds no .yaml file");
  std::sort(found.begin(), found.end());
  for (auto& file : found) inputs_.push_back({std::move(file), path});
}

void BundleReader::readInput(const Input& input) {
  const auto name = input.file.string();
  std::error_code trouble;
  if (!fs::is_regular_file(input.file, trouble)) return tell(name, 0, 0, "no such file");
  const auto size = fs::file_size(input.file, trouble);
  const DocumentLimits limits;
  if (size > limits.bytes)
    return tell(name, 0, 0, fmt::format("{} bytes; at most {} are read", size, limits.bytes));
  std::string text(trouble ? 0 : size, '\0');
  std::ifstream in(input.file, std::ios::binary);
  if (trouble || !in.read(text.data(), static_cast<std::streamsize>(text.size())))
    return tell(name, 0, 0, "cannot be read");

  auto reading = readSiteFile(name, text);
  if (const auto* wrong = std::get_if<std::vector<Problem>>(&reading)) {
    problems_.insert(problems_.end(), wrong->begin(), wrong->end());
    return;
  }
  files_.push_back(std::move(std::get<SiteFile>(reading)));
  roots_.push_back(input.root);
}

void BundleReader::checkNames() {
  for (const auto& [name, kind] : known_.skus) skus_[name] = kind;
  for (const auto& [name, sku] : known_.profiles) profiles_[name] = sku;
  for (const auto& name : known_.baselines) baselines_[name] = true;
  for (const auto& name : known_.plans) plans_[name] = true;
  for (const auto& name : known_.recipes) recipes_[name] = true;

  std::map<std::string, const SiteFile*> first;
  const auto once = [&](std::string_view what, const std::string& name, const SiteFile& file) {
    const auto [it, isNew] = first.emplace(fmt::format("{} {}", what, quote(name)), &file);
    if (!isNew)
      tell(file.file, file.lines.front(), 1,
           fmt::format("{} is given twice; first in {}", it->first, it->second->file));
  };
  for (const auto& file : files_) {
    if (const auto* sku = std::get_if<Sku>(&file.value)) {
      once("SKU", sku->name, file);
      skus_[sku->name] = sku->kind;
    } else if (const auto* profile = std::get_if<Profile>(&file.value)) {
      once("profile", profile->name, file);
      profiles_[profile->name] = profile->sku;
    } else if (const auto* baseline = std::get_if<Baseline>(&file.value)) {
      once("baseline", baseline->name, file);
      baselines_[baseline->name] = true;
    } else if (const auto* plan = std::get_if<Plan>(&file.value)) {
      once("plan", plan->name, file);
      plans_[plan->name] = true;
    } else if (const auto* recipe = std::get_if<Recipe>(&file.value)) {
      once("recipe", recipe->name, file);
      recipes_[recipe->name] = true;
    }
  }
}

struct Claim {
  std::string what;
  NodePositions::Position at;
};

/// What no other node may have.
std::vector<Claim> claimsOf(const Manifest& manifest, const ManifestNode& node, const NodePositions& at) {
  std::vector<Claim> claims{{fmt::format("serial {}", node.serial), at.serial},
                            {claimOfMac(node.bmc.mac), at.mac},
                            {fmt::format("place {} of site {}", node.place.path, manifest.site), at.place}};
  if (!node.bmc.address.empty())
    claims.push_back({claimOfAddress(node.bmc.address, node.bmc.port), at.address});
  if (!node.os.address.empty())
    claims.push_back({claimOfAddress(node.os.address, node.os.port), at.osAddress});
  return claims;
}

// Inside one manifest this was checked while it was read; here, one manifest against the others, and against the nodes
// that the store has and that this import leaves as they are.
void BundleReader::checkNodes() {
  std::unordered_set<std::string> here;
  std::size_t manifests = 0;
  forEachNode([&](const SiteFile&, const Manifest&, std::size_t i, const ManifestNode& node) {
    here.insert(node.serial);
    manifests += i == 0 ? 1 : 0;
  });
  std::unordered_map<std::string, std::pair<const SiteFile*, int>> first;
  forEachNode([&](const SiteFile& file, const Manifest& manifest, std::size_t i, const ManifestNode& node) {
    for (auto& [what, at] : claimsOf(manifest, node, file.positions[i])) {
      const auto held = known_.held.find(what);
      if (held != known_.held.end() && !here.contains(held->second))
        tell(file.file, at.line, at.column,
             fmt::format("{} is {}'s: retire that node, or correct one of the two", what, held->second));
      if (manifests < 2) continue;
      const auto [it, isNew] = first.emplace(std::move(what), std::pair{&file, at.line});
      if (!isNew && it->second.first != &file)
        tell(file.file, at.line, at.column,
             fmt::format("{} is given twice; first in {} line {}", it->first, it->second.first->file,
                         it->second.second));
    }
  });
}

void BundleReader::checkMentions() {
  for (std::size_t i = 0; i < files_.size(); ++i)
    for (const auto& mention : files_[i].mentions)
      if (problems_.size() < maxProblems) check(files_[i], roots_[i], mention);
  // Only now is every package open.
  for (const auto& file : files_)
    for (const auto& mention : file.mentions)
      if (mention.of == Mention::Of::Version) checkVersion(file, mention);
}

void BundleReader::check(const SiteFile& file, const fs::path& root, const Mention& mention) {
  const auto locate = [&]() -> fs::path {
    std::error_code trouble;
    for (const auto& base : {fs::path(file.file).parent_path(), root})
      if (auto path = base / mention.name; fs::is_regular_file(path, trouble)) return path;
    return {};
  };
  switch (mention.of) {
    case Mention::Of::Sku: {
      const auto sku = skus_.find(mention.name);
      if (sku == skus_.end())
        unknown(file, mention, "SKU", skus_);
      else if (!mention.expects.empty() && mention.expects != nameOf(sku->second))
        tell(file, mention,
             fmt::format("SKU {} is for a {}, this node is a {}", quote(mention.name), nameOf(sku->second),
                         mention.expects));
      return;
    }
    case Mention::Of::Profile: {
      const auto profile = profiles_.find(mention.name);
      if (profile == profiles_.end())
        unknown(file, mention, "profile", profiles_);
      else if (mention.expects != profile->second)
        tell(file, mention,
             fmt::format("profile {} is for SKU {}, this node has {}", quote(mention.name),
                         quote(profile->second), quote(mention.expects)));
      return;
    }
    case Mention::Of::Baseline:
      if (!baselines_.contains(mention.name)) unknown(file, mention, "baseline", baselines_);
      return;
    case Mention::Of::Plan:
      if (!plans_.contains(mention.name)) unknown(file, mention, "plan", plans_);
      return;
    case Mention::Of::Recipe:
      if (!recipes_.contains(mention.name)) unknown(file, mention, "recipe", recipes_);
      return;
    case Mention::Of::Package:
    case Mention::Of::Image: {
      const bool package = mention.of == Mention::Of::Package;
      const auto path = locate();
      if (!path.empty())
        package ? takePackage(file, mention, path) : takeImage(file, mention, path);
      else if (package ? !known_.packages.contains(mention.expects) : !known_.images.contains(mention.expects))
        tell(file, mention, fmt::format("no file {}", quote(mention.name)));
      return;
    }
    case Mention::Of::Version: return;  // when all packages are open
  }
}

bool BundleReader::sameDigest(const SiteFile& file, const Mention& mention, const std::string& digest) {
  if (digest == mention.expects) return true;
  tell(file, mention, fmt::format("{} has SHA-256 {}, not {}", quote(mention.name), digest, mention.expects));
  return false;
}

void BundleReader::takePackage(const SiteFile& file, const Mention& mention, const fs::path& path) {
  const auto digest = sha256HexOfFile(path);
  if (!digest) return tell(file, mention, digest.error().what);
  if (!sameDigest(file, mention, *digest) || packages_.contains(*digest)) return;
  auto versions = versionsOfPackage(path);
  if (!versions)
    return tell(file, mention, fmt::format("{}: {}", quote(mention.name), versions.error().what));
  std::error_code trouble;
  packages_[*digest] = {
      {*digest, path.filename().string(), fs::file_size(path, trouble)}, path, std::move(*versions)};
}

void BundleReader::takeImage(const SiteFile& file, const Mention& mention, const fs::path& path) {
  auto manifest = chunkImage(path);
  if (!manifest) return tell(file, mention, manifest.error().what);
  if (!sameDigest(file, mention, manifest->digest)) return;
  images_[manifest->digest] = {{manifest->digest, path.filename().string(), manifest->size}, path, *manifest};
}

void BundleReader::checkVersion(const SiteFile& file, const Mention& mention) {
  std::vector<std::string> versions;
  if (const auto it = packages_.find(mention.expects); it != packages_.end())
    versions = it->second.versions;
  else if (const auto stored = known_.packages.find(mention.expects); stored != known_.packages.end())
    versions = stored->second;
  else
    return;  // the package itself is the problem, and told
  if (std::any_of(versions.begin(), versions.end(),
                  [&](const auto& v) { return sameVersion(v, mention.name); }))
    return;
  std::string list;
  for (const auto& version : versions) list += (list.empty() ? "" : ", ") + quote(version);
  tell(file, mention, fmt::format("the package holds no version {}; it holds {}", quote(mention.name), list));
}

SiteBundle BundleReader::take() {
  SiteBundle bundle;
  for (auto& file : files_) {
    if (auto* manifest = std::get_if<Manifest>(&file.value)) bundle.manifests.push_back(std::move(*manifest));
    if (auto* sku = std::get_if<Sku>(&file.value)) bundle.skus.push_back(std::move(*sku));
    if (auto* baseline = std::get_if<Baseline>(&file.value)) bundle.baselines.push_back(std::move(*baseline));
    if (auto* profile = std::get_if<Profile>(&file.value)) bundle.profiles.push_back(std::move(*profile));
    if (auto* plan = std::get_if<Plan>(&file.value)) bundle.plans.push_back(std::move(*plan));
    if (auto* recipe = std::get_if<Recipe>(&file.value)) bundle.recipes.push_back(std::move(*recipe));
  }
  for (auto& [digest, package] : packages_) bundle.packages.push_back(std::move(package));
  for (auto& [digest, image] : images_) bundle.images.push_back(std::move(image));
  return bundle;
}

}  // namespace

std::string claimOfMac(const std::string& mac) { return "MAC " + mac; }
std::string claimOfAddress(const std::string& address, int port) {
  return fmt::format("address {} port {}", address, port);
}

Reading<SiteBundle> readBundle(const std::vector<fs::path>& paths, const Known& known) {
  if (paths.empty()) return std::vector<Problem>{{"", 0, 0, "no file was named"}};
  return BundleReader(known).read(paths);
}

}  // namespace zellige
