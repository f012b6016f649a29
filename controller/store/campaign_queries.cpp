#include <fmt/format.h>
#include <set>
#include <tuple>

#include "controller/model/compliance.hpp"
#include "controller/store/campaign_rows.hpp"
#include "controller/store/campaign_selection.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/where.hpp"

namespace zellige {

namespace {

template <class E>
std::vector<std::string> namesOf(const std::vector<E>& values) {
  std::vector<std::string> out;
  out.reserve(values.size());
  for (const auto value : values) out.emplace_back(nameOf(value));
  return out;
}

}  // namespace

CampaignPage Queries::campaigns(const std::vector<CampaignState>& states, CampaignId before, int limit) {
  const auto snapshot = impl_->snapshot();
  Where where;
  if (!states.empty()) where.anyOf("state", namesOf(states));
  if (before) where.add("id < ?", before.value);
  auto q = impl_->db.query(
      fmt::format("SELECT {} FROM campaign{} ORDER BY id DESC LIMIT ?", kCampaignColumns, where.text()));
  where.bind(q);
  q.bind(limit + 1);
  CampaignPage page;
  while (q.step()) page.campaigns.push_back({readCampaign(q), {}});
  if (static_cast<int>(page.campaigns.size()) > limit) {
    page.campaigns.pop_back();
    page.next = page.campaigns.back().campaign.id;
  }
  for (auto& row : page.campaigns) row.members = countMembers(impl_->db, row.campaign.id);
  return page;
}

std::optional<CampaignRow> Queries::campaign(CampaignId id) {
  const auto snapshot = impl_->snapshot();
  auto found = findCampaign(impl_->db, id);
  if (!found) return std::nullopt;
  return CampaignRow{std::move(*found), countMembers(impl_->db, id)};
}

MemberPage Queries::campaignMembers(CampaignId id, const std::vector<MemberState>& states, std::int64_t from,
                                    int limit) {
  const auto snapshot = impl_->snapshot();
  Where where;
  where.add("campaign = ?", id.value);
  where.add("ordinal >= ?", from);
  if (!states.empty()) where.anyOf("state", namesOf(states));
  auto q = impl_->db.query(
      fmt::format("SELECT {} FROM campaign_member{} ORDER BY ordinal LIMIT ?", kMemberColumns, where.text()));
  where.bind(q);
  q.bind(limit + 1);
  MemberPage page;
  while (q.step()) page.members.push_back({readMember(q), {}, {}, {}});
  if (static_cast<int>(page.members.size()) > limit) {
    page.next = page.members.back().member.ordinal;
    page.members.pop_back();
  }
  for (auto& row : page.members)
    if (const auto node = findNode(impl_->db, row.member.node))
      std::tie(row.serial, row.place, row.lifecycle) = std::tie(node->serial, node->place.path,
                                                                node->lifecycle);
  return page;
}

Result<CampaignPreview> Queries::previewCampaign(const Campaign& wanted) {
  constexpr std::size_t kFirstRacks = 20;
  const auto snapshot = impl_->snapshot();
  auto& db = impl_->db;
  const auto selection = selectMembers(db, wanted);
  if (!selection) return selection.error();
  CampaignPreview out;
  out.nodes = static_cast<std::int64_t>(selection->members.size());
  out.racks = selection->racks;
  std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> changes;
  std::map<std::string, std::string> ownOf;  // by profile
  std::set<std::string> befores;
  for (const auto& member : selection->members) {
    out.canaryNodes += member.canary ? 1 : 0;
    if (out.firstRacks.size() < kFirstRacks && (out.firstRacks.empty() || out.firstRacks.back() != member.rack))
      out.firstRacks.push_back(member.rack);
    const auto node = *findNode(db, member.node);
    ++out.lifecycles[node.lifecycle];
    auto [own, isNew] = ownOf.emplace(node.profile, "");
    if (isNew) own->second = baselineOfProfile(db, node.profile);
    const auto& before = node.baseline.empty() ? own->second : node.baseline;
    if (out.noWayBack.empty() && before != wanted.baseline && befores.insert(before).second)
      out.noWayBack = whyNotBackTo(db, before);
    const auto inventory = findInventory(db, member.node);
    const auto compliance = complianceOf(selection->baseline.baseline, inventory.value_or(Inventory{}));
    (!compliance.behind.empty() ? out.behind : compliance.holds() ? out.compliant : out.unknown) += 1;
    for (const auto& d : compliance.behind) ++changes[{d.component, d.found, d.wanted}];
  }
  for (const auto& [what, nodes] : changes)
    out.changes.push_back({std::get<0>(what), std::get<1>(what), std::get<2>(what), nodes});
  return out;
}

}  // namespace zellige
