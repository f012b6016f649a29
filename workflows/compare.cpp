#include "workflows/compare.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace zellige::workflows {

namespace {

bool isModel(const Component& part, const std::string& wanted) {
  return wanted.empty() || part.model.find(wanted) != std::string::npos;
}

// One difference a cause, as a node has one finding a cause: what else has the same cause goes into the same detail.
void note(std::string_view cause, std::string detail, std::vector<Difference>& out) {
  const auto same = std::find_if(out.begin(), out.end(), [&](const auto& d) { return d.cause == cause; });
  if (same != out.end())
    same->detail += "; " + detail;
  else
    out.push_back({std::string(cause), std::move(detail)});
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
  const bool missing = incomplete > 0 || wrong.empty();
  if (missing && found.incomplete.empty())
    note("inventory.missing_part",
         fmt::format("ordered {}, found {}{}", want, good, which.empty() ? "" : "; incomplete: " + which),
         out);
  if (!wrong.empty()) note("inventory.wrong_part", fmt::format("ordered {}; {}", want, wrong), out);
}

}  // namespace

std::vector<Difference> compare(const Inventory& found, const Sku& ordered, const Node& node) {
  std::vector<Difference> out;
  if (!found.serial.empty() && found.serial != node.serial)
    note("place.wrong_serial",
         fmt::format("{} should hold {}, found {}", node.place.path, node.serial, found.serial), out);
  for (const auto& line : ordered.components) compareLine(found, line, out);
  if (ordered.memoryGiB > 0 && found.memoryGiB < ordered.memoryGiB && found.incomplete.empty())
    note("inventory.missing_part",
         fmt::format("ordered {} GiB of memory, found {}", ordered.memoryGiB, found.memoryGiB), out);
  for (const auto& part : found.components)
    if (part.sick && part.complete)
      note("inventory.sick_part", fmt::format("{} {}: {}", nameOf(part.kind), part.name, part.why), out);
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
