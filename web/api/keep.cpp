#include "web/api/keep.hpp"

#include "controller/base/durable_file.hpp"
#include "web/api/provisioning.hpp"

namespace zellige::api {

namespace {

Result<void> keep(const ContentStore& content, const StoredFile& file, const std::filesystem::path& path,
                  const ImageManifest* image) {
  if (!content.holds(file.digest))
    if (auto stored = content.importFile(path, file.digest); !stored) return stored.error();
  if (!image) return {};
  const auto wanted = manifestPath(content.pathOf(file.digest));
  if (auto written = writeDurably(wanted, toJson(*image), 0640); !written)
    return Error{Errc::Busy, written.error().what};
  return {};
}

}  // namespace

Result<SiteImport> keepBundle(SiteBundle bundle, const ContentStore& content) {
  SiteImport site;
  for (const auto& package : bundle.packages) {
    if (auto kept = keep(content, package.file, package.path, nullptr); !kept) return kept.error();
    site.files.push_back({package.file, FileKind::Package});
  }
  for (const auto& image : bundle.images) {
    if (auto kept = keep(content, image.file, image.path, &image.manifest); !kept) return kept.error();
    site.files.push_back({image.file, FileKind::Image});
  }
  site.skus = std::move(bundle.skus);
  site.baselines = std::move(bundle.baselines);
  site.plans = std::move(bundle.plans);
  site.profiles = std::move(bundle.profiles);
  site.recipes = std::move(bundle.recipes);
  site.manifests = std::move(bundle.manifests);
  return site;
}

}  // namespace zellige::api
