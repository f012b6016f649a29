#include "controller/store/campaign_rows.hpp"

#include <fmt/format.h>

#include "controller/store/documents.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

Campaign readCampaign(const Query& row) {
  Campaign c;
  c.id = {row.integer(0)};
  c.name = row.text(1);
  c.baseline = row.text(2);
  c.baselineDigest = row.text(3);
  c.kind = readName<NodeKind>(row, 4);
  c.place = row.text(5);
  c.profile = row.text(6);
  c.window = static_cast<int>(row.integer(7));
  c.perRack = static_cast<int>(row.integer(8));
  c.canary = static_cast<int>(row.integer(9));
  c.failureBudget = static_cast<int>(row.integer(10));
  c.forgiven = static_cast<int>(row.integer(11));
  c.state = readName<CampaignState>(row, 12);
  c.goal = readName<CampaignGoal>(row, 13);
  c.why = row.text(14);
  c.createdBy = row.text(15);
  c.created = row.time(16);
  c.since = row.time(17);
  c.canaryWaived = row.flag(18);
  return c;
}

CampaignMember readMember(const Query& row) {
  return {{row.integer(0)}, static_cast<int>(row.integer(1)),
          {row.integer(2)}, row.text(3),
          row.flag(4),      readName<MemberState>(row, 5),
          row.flag(6),      row.text(7),
          row.text(8),      row.text(9),
          row.time(10)};
}

std::optional<Campaign> findCampaign(Connection& db, CampaignId id) {
  static const auto text = fmt::format("SELECT {} FROM campaign WHERE id = ?", kCampaignColumns);
  auto q = db.query(text);
  q.bind(id);
  if (!q.step()) return std::nullopt;
  return readCampaign(q);
}

std::map<MemberState, std::int64_t> countMembers(Connection& db, CampaignId id) {
  auto q = db.query("SELECT state, count(*) FROM campaign_member WHERE campaign = ? GROUP BY state");
  q.bind(id);
  std::map<MemberState, std::int64_t> out;
  while (q.step()) out[readName<MemberState>(q, 0)] = q.integer(1);
  return out;
}

std::optional<CatalogBaseline> findBaseline(Connection& db, std::string_view name) {
  auto q = db.query("SELECT json, digest FROM catalog WHERE kind = 'baseline' AND name = ?");
  q.bind(name);
  if (!q.step()) return std::nullopt;
  return CatalogBaseline{readBaseline(q.text(0)), q.text(1)};
}

std::optional<std::string> findBaselineDigest(Connection& db, std::string_view name) {
  auto q = db.query("SELECT digest FROM catalog WHERE kind = 'baseline' AND name = ?");
  q.bind(name);
  if (!q.step()) return std::nullopt;
  return q.text(0);
}

std::string baselineOfProfile(Connection& db, std::string_view profile) {
  auto q = db.query("SELECT json FROM catalog WHERE kind = 'profile' AND name = ?");
  q.bind(profile);
  return q.step() ? readProfile(q.text(0)).baseline : std::string{};
}

}  // namespace zellige
