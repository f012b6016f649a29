#include "controller/engine/step.hpp"

#include <algorithm>

namespace zellige {

const Step* Workflow::find(std::string_view id) const {
  const auto it = std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.id == id; });
  return it == steps.end() ? nullptr : &*it;
}

const Step* Workflow::resumeAt(std::string_view id) const {
  if (const auto* step = find(id)) return step;
  for (const auto& [old, now] : resume)
    if (old == id)
      if (const auto* step = find(now)) return step;
  return nullptr;
}

const Step* Workflow::next(const Step& step) const {
  const auto* after = &step + 1;
  return after == steps.data() + steps.size() ? nullptr : after;
}

// What is retired stands in the rack no more, whatever row is left of it; what nobody ordered never did.
bool Workflow::takesTogether(const Node& node) const {
  return std::find(together.begin(), together.end(), node.kind) != together.end() &&
         node.lifecycle != Lifecycle::Retired && node.lifecycle != Lifecycle::Unlisted;
}

const Node& StepContext::about() const {
  const auto it = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.id == about_; });
  return it == nodes_.end() ? node() : *it;
}

Bmc& StepContext::bmcOf(const Node& node) {
  isAbout(node);
  auto& held = held_[node.id];
  if (!held) held = bmcs_.of(node);
  return *held;
}

SwitchOs& StepContext::osOf(const Node& node) {
  isAbout(node);
  auto& held = heldOs_[node.id];
  if (!held) held = bmcs_.osOf(node);
  return *held;
}

FirmwareService& StepContext::flasher() {
  if (node().kind == NodeKind::SwitchTray) return os();
  return bmc();
}

std::optional<std::string> StepContext::intended(std::string_view key) const {
  if (!wasIntended()) return std::nullopt;
  const auto seen = run_.actOf(item_).witness.find(key);
  if (!seen) return std::nullopt;
  return std::string(*seen);
}

void StepContext::findOn(const Node& node, std::string_view cause, std::string detail) {
  Finding finding;
  finding.node = node.id;
  finding.run = run_.id;
  finding.cause = cause;
  finding.detail = std::move(detail);
  finding.raised = now();
  leave(RaiseFinding{std::move(finding)});
}

}  // namespace zellige
