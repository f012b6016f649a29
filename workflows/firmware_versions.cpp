// What a firmware inventory says about a baseline.
#include <fmt/format.h>

#include "workflows/firmware.hpp"

namespace zellige::workflows {

namespace {

bool isRead(const FirmwareItem& item) { return !item.absent && !item.version.empty(); }

}  // namespace

std::string firstBehind(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components)
    for (const auto& item : versions)
      if (isRead(item) && matches(wanted.match, item.id) && !sameVersion(item.version, wanted.version))
        return fmt::format("{} is {}, wanted {}", item.id, item.version, wanted.version);
  return {};
}

std::string firstUnlisted(const Baseline::Entry& entry, const Versions& versions) {
  for (const auto& wanted : entry.components) {
    bool any = false;
    for (const auto& item : versions) {
      if (!matches(wanted.match, item.id)) continue;
      if (!isRead(item)) return item.id;
      any = true;
    }
    if (!any) return wanted.match;
  }
  return {};
}

std::string firstBehind(const Baseline& baseline, const Versions& versions) {
  for (const auto& entry : baseline.entries)
    if (auto behind = firstBehind(entry, versions); !behind.empty()) return behind;
  return {};
}

std::string firstUnlisted(const Baseline& baseline, const Versions& versions) {
  for (const auto& entry : baseline.entries)
    if (auto unlisted = firstUnlisted(entry, versions); !unlisted.empty()) return unlisted;
  return {};
}

bool isAlive(const Baseline::Entry& entry, const Versions& versions) {
  return firstUnlisted(entry, versions).empty() && firstBehind(entry, versions).empty();
}

}  // namespace zellige::workflows
