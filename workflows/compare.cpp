#include "workflows/compare.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "workflows/steps.hpp"

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

/// Parts that no line has claimed yet.
using Unclaimed = std::vector<const Component*>;

// How many complete parts of the line's kind and model there are, at most as many as were ordered; they are claimed.
int claim(const Sku::Line& line, Unclaimed& parts) {
  int good = 0;
  std::erase_if(parts, [&](const Component* part) {
    const bool ours = good < line.count && part->kind == line.kind && part->complete &&
                      isModel(*part, line.model);
    good += ours ? 1 : 0;
    return ours;
  });
  return good;
}

void tellShort(const Inventory& found, const Sku::Line& line, int good, const Unclaimed& left,
               std::vector<Difference>& out) {
  int incomplete = 0;
  std::string which, wrong;
  for (const auto* part : left) {
    if (part->kind != line.kind) continue;
    if (!part->complete) {
      ++incomplete;
      which += fmt::format("{}{} ({})", which.empty() ? "" : ", ", part->name, part->why);
    } else {
      wrong += fmt::format("{}{} is {}", wrong.empty() ? "" : ", ", part->name, part->model);
    }
  }
  const auto want = fmt::format("{} {}{}", line.count, nameOf(line.kind),
                                line.model.empty() ? "" : " " + line.model);
  const bool missing = incomplete > 0 || wrong.empty();
  if (missing && found.incomplete.empty())
    note("inventory.missing_part",
         fmt::format("ordered {}, found {}{}", want, good, which.empty() ? "" : "; incomplete: " + which),
         out);
  if (!wrong.empty()) note("inventory.wrong_part", fmt::format("ordered {}; {}", want, wrong), out);
}

// Lines that name a model choose first: a line for any model takes what is left.
void compareParts(const Inventory& found, const Sku& ordered, std::vector<Difference>& out) {
  auto lines = ordered.components;
  std::stable_partition(lines.begin(), lines.end(), [](const auto& line) { return !line.model.empty(); });
  Unclaimed left;
  for (const auto& part : found.components) left.push_back(&part);
  std::vector<std::pair<Sku::Line, int>> shortLines;
  for (const auto& line : lines)
    if (const int good = claim(line, left); good < line.count) shortLines.emplace_back(line, good);
  for (const auto& [line, good] : shortLines) tellShort(found, line, good, left, out);
}

}  // namespace

std::vector<Difference> compare(const Inventory& found, const Sku& ordered, const Node& node) {
  std::vector<Difference> out;
  // A machine that does not say which it is could be any: only one that was not read whole may still say so.
  if (found.serial.empty() ? found.incomplete.empty() : found.serial != node.serial)
    note("place.wrong_serial",
         fmt::format("{} should hold {}, found {}", node.place.path, node.serial,
                     found.serial.empty() ? "a machine that reports no serial number" : found.serial),
         out);
  compareParts(found, ordered, out);
  if (ordered.memoryGiB > 0 && found.memoryGiB < ordered.memoryGiB && found.incomplete.empty())
    note("inventory.missing_part",
         fmt::format("ordered {} GiB of memory, found {}", ordered.memoryGiB, found.memoryGiB), out);
  for (const auto& part : found.components)
    if (part.sick && part.complete)
      note("inventory.sick_part", fmt::format("{} {}: {}", nameOf(part.kind), part.name, part.why), out);
  return out;
}

std::vector<std::string> restsOnParts(const Inventory& found, const Node& node,
                                      const std::vector<ComponentKind>& of) {
  const auto matters = [&](ComponentKind kind) {
    return of.empty() || std::find(of.begin(), of.end(), kind) != of.end();
  };
  std::vector<std::string> out{fmt::format("place:{}", node.place.path)};
  if (!found.serial.empty()) out.push_back(fmt::format("serial:{}", found.serial));  // only what was read
  for (const auto& part : found.components)
    if (!part.serial.empty() && matters(part.kind))
      out.push_back(fmt::format("{}:{}={}", nameOf(part.kind), part.name, part.serial));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> shownFirmware(StepContext& context, const Node& node) {
  std::vector<std::string> out;
  for (const auto& evidence : context.store().validEvidence(node.id))
    if (evidence.subject == "firmware")
      for (const auto& entry : evidence.dependsOn)
        if (entry.starts_with("fw:")) out.push_back(entry);
  return out;
}

std::vector<std::string> restsOnMachine(StepContext& context, const Node& node,
                                        const std::vector<ComponentKind>& of) {
  std::vector<std::string> out{fmt::format("place:{}", node.place.path),
                               fmt::format("serial:{}", node.serial)};
  if (const auto inventory = context.store().inventory(node.id)) out = restsOnParts(*inventory, node, of);
  for (auto& entry : shownFirmware(context, node)) out.push_back(std::move(entry));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace zellige::workflows
