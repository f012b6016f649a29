#include "workflows/compare.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige::workflows {

namespace {

bool isModel(const Component& part, const std::string& wanted) {
  return wanted.empty() || part.model.find(wanted) != std::string::npos;
}

void compareLine(const Inventory& found, const Sku::Line& line, std::vector<Difference>& out) {
  int good = 0, incomplete = 0;
  std::string which, wrong;
  for (const auto& part : found.components) {
    if (part.kind != line.kind) continue;
    if (!part.complete) {
      ++incomplete;
      which += fmt::format("{}{} ({})", which.empty() ? "" : ", ", part.name, part.why);
    } else if (isModel(part, line.model)) {
      ++good;
    } else {
      wrong += fmt::format("{}{} is {}", wrong.empty() ? "" : ", ", part.name, part.model);
    }
  }
  if (good >= line.count) return;
  const auto want = fmt::format("{} {}{}", line.count, nameOf(line.kind),
                                line.model.empty() ? "" : " " + line.model);
  if (incomplete > 0 || wrong.empty())
    out.push_back({"inventory.missing_part", fmt::format("ordered {}, found {}{}", want, good,
                                                         which.empty() ? "" : "; incomplete: " + which)});
  if (!wrong.empty()) out.push_back({"inventory.wrong_part", fmt::format("ordered {}; {}", want, wrong)});
}

}  // namespace

std::vector<Difference> compare(const Inventory& found, const Sku& ordered, const Node& node) {
  std::vector<Difference> out;
  if (!found.serial.empty() && found.serial != node.serial)
    out.push_back({"place.wrong_serial",
                   fmt::format("{} should hold {}, found {}", node.place.path, node.serial, found.serial)});
  for (const auto& line : ordered.components) compareLine(found, line, out);
  if (ordered.memoryGiB > 0 && found.memoryGiB < ordered.memoryGiB)
    out.push_back({"inventory.missing_part",
                   fmt::format("ordered {} GiB of memory, found {}", ordered.memoryGiB, found.memoryGiB)});
  for (const auto& part : found.components)
    if (part.sick && part.complete)
      out.push_back({"inventory.sick_part", fmt::format("{} {}: {}", nameOf(part.kind), part.name, part.why)});
  return out;
}

std::vector<std::string> restsOnParts(const Inventory& found, const Node& node) {
  std::vector<std::string> out{fmt::format("serial:{}", node.serial),
                               fmt::format("place:{}", node.place.path)};
  for (const auto& part : found.components)
    if (!part.serial.empty())
      out.push_back(fmt::format("{}:{}={}", nameOf(part.kind), part.name, part.serial));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace zellige::workflows
