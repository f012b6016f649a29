#include "controller/store/campaign_selection.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "controller/model/compliance.hpp"
#include "controller/store/rows.hpp"
#include "controller/store/where.hpp"

namespace zellige {

namespace {

Error cannotRoll(std::string what) { return {Errc::Invalid, std::move(what)}; }

struct Candidate {
  NodeId node;
  std::string rack, sku;
  bool ready = false;  ///< it could begin now
};

// Who has come up once: what is new goes its own way, and has its profile's baseline.
std::vector<Candidate> candidates(Connection& db, const Campaign& wanted) {
  Where where;
  where.add("kind = ?", std::string(nameOf(wanted.kind)));
  where.anyOf("lifecycle", {"qualifying", "available", "in_service", "sanitising", "quarantined", "repair"});
  where.inside("place", wanted.place);
  if (!wanted.profile.empty()) where.add("profile = ?", wanted.profile);
  auto q = db.query(fmt::format(
      "SELECT id, rack, sku, lifecycle = 'available' AND allocation = 'free' AND unreachable_since IS NULL "
      "FROM node{} ORDER BY rack, place, id",
      where.text()));
  where.bind(q);
  std::vector<Candidate> out;
  while (q.step()) out.push_back({{q.integer(0)}, q.text(1), q.text(2), q.flag(3)});
  return out;
}

Result<void> packagesAreThere(Connection& db, const Baseline& baseline) {
  for (const auto& entry : baseline.entries) {
    auto q = db.query("SELECT 1 FROM file WHERE digest = ?");
    q.bind(entry.packageDigest);
    if (!q.step())
      return Error{Errc::NotFound, fmt::format("the package of {} ({}) is not here: import it first",
                                               entry.id, entry.packageDigest)};
  }
  return {};
}

// One machine of each SKU is asked: a baseline for other machines would write nothing, and seem to have passed.
Result<void> fits(Connection& db, const Baseline& baseline, const std::vector<Candidate>& nodes) {
  std::set<std::string> asked;
  for (const auto& node : nodes) {
    if (asked.contains(node.sku)) continue;
    const auto inventory = findInventory(db, node.node);
    if (!inventory || inventory->firmware.empty()) continue;
    asked.insert(node.sku);
    if (complianceOf(baseline, *inventory).knowsNothing)
      return cannotRoll(
          fmt::format("the baseline {} names no firmware that a {} has", baseline.name, node.sku));
  }
  return {};
}

Result<void> limitsLetItEnd(const Campaign& wanted) {
  if (wanted.window < 1) return cannotRoll("a window of 0 racks lets nothing begin");
  if (wanted.perRack < 0 || wanted.canary < 0 || wanted.failureBudget < 0)
    return cannotRoll("limits are numbers from 0 on");
  return {};
}

std::string isInAnother(const std::string& serial, CampaignId campaign) {
  return fmt::format("{} is in campaign {}, which is not over", serial, campaign.value);
}

Result<void> nobodyIsInAnother(Connection& db, const std::vector<Candidate>& nodes) {
  std::map<NodeId, CampaignId> taken;
  auto q = db.query(
      "SELECT m.node, m.campaign FROM campaign c JOIN campaign_member m ON m.campaign = c.id "
      "WHERE c.state NOT IN ('done', 'cancelled') AND (m.state <> 'left_out' OR m.begun = 1)");
  while (q.step()) taken.emplace(NodeId{q.integer(0)}, CampaignId{q.integer(1)});
  for (const auto& node : nodes)
    if (const auto it = taken.find(node.node); it != taken.end())
      return Error{Errc::Conflict, isInAnother(findNode(db, node.node)->serial, it->second)};
  return {};
}

// So many of them, spread evenly.
void spread(const std::vector<std::string>& racks, std::size_t count, std::set<std::string>& out) {
  for (std::size_t i = 0; i < count; ++i) out.insert(racks[i * racks.size() / count]);
}

}  // namespace

Result<Selection> selectMembers(Connection& db, const Campaign& wanted) {
  if (auto limits = limitsLetItEnd(wanted); !limits) return limits.error();
  auto baseline = findBaseline(db, wanted.baseline);
  if (!baseline)
    return Error{Errc::NotFound, fmt::format("there is no baseline '{}' in the catalogue", wanted.baseline)};
  if (auto there = packagesAreThere(db, baseline->baseline); !there) return there.error();
  if (!wanted.profile.empty() && baselineOfProfile(db, wanted.profile).empty())
    return Error{Errc::NotFound, fmt::format("there is no profile '{}' in the catalogue", wanted.profile)};
  const auto nodes = candidates(db, wanted);
  if (nodes.empty())
    return cannotRoll(fmt::format("no {} that has come up once is in {}{}", nameOf(wanted.kind),
                                  wanted.place.empty() ? "the site" : wanted.place,
                                  wanted.profile.empty() ? "" : " with profile " + wanted.profile));
  if (auto fit = fits(db, baseline->baseline, nodes); !fit) return fit.error();
  if (auto free = nobodyIsInAnother(db, nodes); !free) return free.error();

  std::vector<std::string> ready, others;  // racks, by place
  for (std::size_t i = 0; i < nodes.size();) {
    const auto& rack = nodes[i].rack;
    bool all = true;
    for (; i < nodes.size() && nodes[i].rack == rack; ++i) all = all && nodes[i].ready;
    (all ? ready : others).push_back(rack);
  }
  const auto all = ready.size() + others.size();
  const auto wantedRacks = static_cast<std::size_t>(wanted.canary);
  if (wantedRacks > all)
    return cannotRoll(fmt::format("a canary of {} racks: only {} are selected", wanted.canary, all));
  std::set<std::string> canary;
  const auto first = std::min(wantedRacks, ready.size());
  spread(ready, first, canary);
  spread(others, wantedRacks - first, canary);

  Selection out{std::move(*baseline), {}, static_cast<int>(all)};
  for (const bool first : {true, false})
    for (const auto& node : nodes)
      if (canary.contains(node.rack) == first) out.members.push_back({node.node, node.rack, first});
  return out;
}

std::string whyNotAgain(Connection& db, CampaignId campaign) {
  auto q = db.query(
      "SELECT n.serial, c.id FROM campaign_member mine JOIN campaign_member other ON other.node = mine.node "
      "JOIN campaign c ON c.id = other.campaign JOIN node n ON n.id = mine.node "
      "WHERE mine.campaign = ? AND other.campaign <> mine.campaign AND c.state NOT IN ('done', 'cancelled') "
      "AND (mine.state <> 'left_out' OR mine.begun = 1) AND (other.state <> 'left_out' OR other.begun = 1) "
      "LIMIT 1");
  q.bind(campaign);
  if (!q.step()) return {};
  return isInAnother(q.text(0), CampaignId{q.integer(1)});
}

std::string whyNotBackTo(Connection& db, const std::string& name) {
  const auto before = findBaseline(db, name);
  if (!before) return fmt::format("the baseline {} is not in the catalogue any more", name);
  if (auto there = packagesAreThere(db, before->baseline); !there) return there.error().what;
  for (const auto& entry : before->baseline.entries)
    if (!entry.force)
      return fmt::format("the entry {} of the baseline {} allows no downgrade (force: true)", entry.id, name);
  return {};
}

std::string whyNotBack(Connection& db, const Campaign& campaign) {
  std::map<std::string, std::set<std::string>> digests;  // by baseline
  {
    auto q = db.query(
        "SELECT DISTINCT previous, previous_digest FROM campaign_member WHERE campaign = ? AND begun = 1");
    q.bind(campaign.id);
    while (q.step()) digests[q.text(0)].insert(q.text(1));
  }
  digests.erase(campaign.baseline);
  if (digests.empty()) return "no node has been given another baseline by it";
  for (const auto& [name, before] : digests) {
    if (auto why = whyNotBackTo(db, name); !why.empty()) return why;
    for (const auto& digest : before)
      if (!digest.empty() && findBaselineDigest(db, name) != digest)
        return fmt::format("an import has changed the baseline {} since: import it as it was", name);
  }
  return {};
}

}  // namespace zellige
