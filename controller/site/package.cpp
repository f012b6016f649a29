#include "controller/site/package.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>

#include "controller/site/pldm.hpp"

namespace zellige {

namespace {

constexpr std::size_t kBlock = 512, kMostManifest = 7 * kBlock;

void addVersions(const PldmPackage& package, std::vector<std::string>& out) {
  for (const auto& component : package.components) out.push_back(component.version);
  for (const auto& nested : package.nested) addVersions(nested, out);
}

std::string_view upToNul(std::string_view field) { return field.substr(0, field.find('\0')); }

}  // namespace

bool isTar(std::string_view head) { return head.size() >= kBlock && head.substr(257, 5) == "ustar"; }

Result<std::string> versionOfTar(std::string_view head) {
  if (!isTar(head)) return Error{Errc::Invalid, "it is no tar file"};
  const auto name = upToNul(head.substr(0, 100));
  if (name != "MANIFEST" && name != "./MANIFEST")
    return Error{Errc::Invalid, "a tar file that does not begin with a MANIFEST is no firmware package"};
  std::size_t size = 0;
  const auto octal = upToNul(head.substr(124, 12));
  const auto [end, ec] = std::from_chars(octal.data(), octal.data() + octal.size(), size, 8);
  if (ec != std::errc{} || end == octal.data() || size > kMostManifest || size > head.size() - kBlock)
    return Error{Errc::Invalid, "the MANIFEST is damaged or too long"};
  auto manifest = head.substr(kBlock, size);
  while (!manifest.empty()) {
    const auto line = manifest.substr(0, manifest.find('\n'));
    manifest.remove_prefix(std::min(manifest.size(), line.size() + 1));
    constexpr std::string_view key = "version=";
    if (line.starts_with(key) && line.size() > key.size() && line.size() < 256)
      return std::string(line.substr(key.size()));
  }
  return Error{Errc::Invalid, "the MANIFEST names no version"};
}

Result<std::vector<std::string>> versionsOfPackage(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(kBlock + kMostManifest, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  if (isTar(head)) {
    auto version = versionOfTar(head);
    if (!version) return version.error();
    return std::vector<std::string>{std::move(*version)};
  }
  const auto package = readPldmPackage(file);
  if (!package) return package.error();
  std::vector<std::string> out;
  addVersions(*package, out);
  return out;
}

}  // namespace zellige
