#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <tuple>

#include "controller/store/apply.hpp"
#include "controller/store/campaign_rows.hpp"
#include "controller/store/campaign_selection.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

namespace {

Error gone(const Campaign& campaign, CampaignState from) {
  return {Errc::Conflict, fmt::format("campaign {} is {}, not {} any more", campaign.id.value,
                                      nameOf(campaign.state), nameOf(from))};
}

// Of a campaign that is to be moved: its row, if it still stands where the caller saw it.
Result<Campaign> standing(Writing& w, CampaignId id, CampaignState from) {
  auto campaign = findCampaign(w.db, id);
  if (!campaign) return Error{Errc::NotFound, fmt::format("there is no campaign {}", id.value)};
  if (campaign->state != from) return gone(*campaign, from);
  return std::move(*campaign);
}

// A campaign may have been turned, and a baseline imported, since whoever begins this member read of it.
std::string whyNotTo(Writing& w, const Campaign& c, const Node& node, const std::string& baseline) {
  auto wanted = c.baseline, digest = c.baselineDigest;
  if (c.goal == CampaignGoal::Back) {
    auto q = w.db.query(
        "SELECT previous, previous_digest FROM campaign_member WHERE node = ? AND campaign = ?");
    q.bind(node.id, c.id);
    if (q.step()) std::tie(wanted, digest) = std::pair(q.text(0), q.text(1));
  }
  if (baseline != wanted)
    return fmt::format("campaign {} brings {} to the baseline {}, not to {}", c.id.value, node.serial, wanted,
                       baseline);
  if (!digest.empty() && findBaselineDigest(w.db, baseline) != digest)
    return fmt::format("an import has changed the baseline {} since campaign {} {}", baseline, c.id.value,
                       c.goal == CampaignGoal::Forward ? "was made" : "took nodes from it");
  return {};
}

// Whom another campaign, or a new profile, has given another baseline since is not pulled back from it.
void leaveOutWhoHasAnother(Writing& w, const Campaign& c) {
  std::vector<std::string> profiles;
  {
    auto q = w.db.query(
        "SELECT DISTINCT n.profile FROM campaign_member m JOIN node n ON n.id = m.node "
        "WHERE m.campaign = ? AND n.baseline = ''");
    q.bind(c.id);
    while (q.step()) profiles.push_back(q.text(0));
  }
  const auto leaveOut = [&](const char* who) {
    return w.db.query(fmt::format(
        "UPDATE campaign_member SET state = 'left_out', why = 'it has another baseline since', since = ? "
        "WHERE campaign = ? AND state = 'pending' AND begun = 1 AND node IN (SELECT id FROM node WHERE {})",
        who));
  };
  leaveOut("baseline NOT IN ('', ?)").bind(w.at, c.id, c.baseline).run();
  for (const auto& profile : profiles)
    if (baselineOfProfile(w.db, profile) != c.baseline)
      leaveOut("baseline = '' AND profile = ?").bind(w.at, c.id, profile).run();
}

void setState(Writing& w, const Campaign& c, CampaignState state, CampaignGoal goal, int forgiven,
              const std::string& why) {
  w.db.query("UPDATE campaign SET state = ?, goal = ?, forgiven = ?, why = ?, since = ? WHERE id = ?")
      .bind(nameOf(state), nameOf(goal), forgiven, why, w.at, c.id)
      .run();
  w.event("campaign.state", {}, {},
          withWhy({{"campaign", c.id.value},
                   {"from", nameOf(c.state)},
                   {"to", nameOf(state)},
                   {"goal", nameOf(goal)},
                   {"place", c.place}},
                  why));
}

}  // namespace

Result<std::int64_t> apply(Writing& w, const CreateCampaign& op) {
  const auto& c = op.campaign;
  auto selection = selectMembers(w.db, c);
  if (!selection) return selection.error();
  w.db.query(
          "INSERT INTO campaign (name, baseline, baseline_digest, kind, place, profile, window, per_rack, "
          "canary, "
          "failure_budget, forgiven, state, goal, why, created_by, created, since) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'running', 'forward', ?, ?, ?, ?)")
      .bind(c.name, c.baseline, selection->baseline.digest, nameOf(c.kind), c.place, c.profile, c.window,
            c.perRack, c.canary, c.failureBudget, c.why, w.actor, w.at, w.at)
      .run();
  const CampaignId id{w.db.lastId()};
  int ordinal = 0;
  for (const auto& member : selection->members)
    w.db.query(
            "INSERT INTO campaign_member (campaign, ordinal, node, rack, canary, state, begun, previous, "
            "why, since) "
            "VALUES (?, ?, ?, ?, ?, 'pending', 0, '', '', ?)")
        .bind(id, ordinal++, member.node, member.rack, member.canary, w.at)
        .run();
  w.event("campaign.created", {}, {},
          withWhy({{"campaign", id.value},
                   {"name", c.name},
                   {"baseline", c.baseline},
                   {"baseline_digest", selection->baseline.digest},
                   {"place", c.place},
                   {"nodes", selection->members.size()},
                   {"racks", selection->racks},
                   {"window", c.window},
                   {"canary", c.canary},
                   {"failure_budget", c.failureBudget}},
                  c.why));
  return id.value;
}

Result<std::int64_t> apply(Writing& w, const MoveCampaign& op) {
  const auto campaign = standing(w, op.campaign, op.from);
  if (!campaign) return campaign.error();
  int forgiven = campaign->forgiven;
  if (op.from == CampaignState::Halted && op.to == CampaignState::Running) {
    forgiven = static_cast<int>(countMembers(w.db, op.campaign)[MemberState::Failed]);
    w.db.query(
            "UPDATE campaign SET canary_waived = 1 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM "
            "campaign_member "
            "WHERE campaign = id AND canary = 1 AND state IN ('pending', 'running'))")
        .bind(op.campaign)
        .run();
  }
  if (op.to == CampaignState::Cancelled)
    w.db.query(
            "UPDATE campaign_member SET state = 'left_out', since = ?, why = CASE state WHEN 'running' THEN "
            "'the "
            "campaign was cancelled while its run was under way' ELSE 'the campaign was cancelled' END "
            "WHERE campaign = ? AND state IN ('pending', 'running')")
        .bind(w.at, op.campaign)
        .run();
  setState(w, *campaign, op.to, campaign->goal, forgiven, op.why);
  return op.campaign.value;
}

Result<std::int64_t> apply(Writing& w, const TurnCampaign& op) {
  const auto campaign = standing(w, op.campaign, op.from);
  if (!campaign) return campaign.error();
  if (campaign->goal == CampaignGoal::Back)
    return Error{Errc::Conflict, fmt::format("campaign {} is rolled back already", op.campaign.value)};
  if (auto why = whyNotAgain(w.db, op.campaign); !why.empty()) return Error{Errc::Conflict, std::move(why)};
  if (auto why = whyNotBack(w.db, *campaign); !why.empty()) return Error{Errc::Rejected, std::move(why)};
  // Who is under way goes on to the end, and is judged then.
  w.db.query(
          "UPDATE campaign_member SET since = ?, "
          "state = CASE WHEN begun = 1 AND previous <> ? THEN 'pending' ELSE 'left_out' END, "
          "why = CASE WHEN begun = 0 THEN 'it was not begun' WHEN previous = ? THEN 'it had this baseline "
          "before' "
          "ELSE '' END WHERE campaign = ? AND state <> 'running'")
      .bind(w.at, campaign->baseline, campaign->baseline, op.campaign)
      .run();
  leaveOutWhoHasAnother(w, *campaign);
  setState(w, *campaign, CampaignState::Running, CampaignGoal::Back, 0, op.why);
  return op.campaign.value;
}

Result<std::int64_t> apply(Writing& w, const RetryFailed& op) {
  const auto campaign = standing(w, op.campaign, op.from);
  if (!campaign) return campaign.error();
  if (auto why = whyNotAgain(w.db, op.campaign); !why.empty()) return Error{Errc::Conflict, std::move(why)};
  const auto failed =
      w.db.query(
              "UPDATE campaign_member SET state = 'pending', why = '', since = ? WHERE campaign = ? "
              "AND state = 'failed'")
          .bind(w.at, op.campaign)
          .run();
  if (failed == 0)
    return Error{Errc::Rejected, fmt::format("no node of campaign {} has failed", op.campaign.value)};
  if (campaign->goal == CampaignGoal::Forward) leaveOutWhoHasAnother(w, *campaign);
  setState(w, *campaign, CampaignState::Running, campaign->goal, 0, op.why);
  return op.campaign.value;
}

Result<std::int64_t> apply(Writing& w, const BeginMember& op) {
  const auto node = findNode(w.db, op.node);
  if (!node) return noSuchNode(op.node);
  const auto campaign = standing(w, op.campaign, CampaignState::Running);
  if (!campaign) return campaign.error();
  if (auto why = whyNotTo(w, *campaign, *node, op.baseline); !why.empty())
    return Error{Errc::Conflict, std::move(why)};
  const auto own = baselineOfProfile(w.db, node->profile);
  const auto before = node->baseline.empty() ? own : node->baseline;
  const auto begun =
      w.db.query(
              "UPDATE campaign_member SET state = 'running', why = '', since = ?, previous = CASE begun "
              "WHEN 0 THEN ? ELSE previous END, previous_digest = CASE begun WHEN 0 THEN ? ELSE "
              "previous_digest END, begun = 1 "
              "WHERE node = ? AND campaign = ? AND state = 'pending'")
          .bind(w.at, before, findBaselineDigest(w.db, before).value_or(""), op.node, op.campaign)
          .run();
  if (begun == 0)
    return Error{Errc::Conflict,
                 fmt::format("{} is not pending in campaign {}", node->serial, op.campaign.value)};
  const auto given = op.baseline == own ? std::string{} : op.baseline;
  w.db.query("UPDATE node SET baseline = ?, version = version + 1 WHERE id = ?").bind(given, op.node).run();
  w.event("campaign.begun", op.node, {},
          {{"campaign", op.campaign.value}, {"baseline", op.baseline}, {"before", before}});
  return op.campaign.value;
}

Result<std::int64_t> apply(Writing& w, const EndMember& op) {
  const auto ended =
      w.db.query(
              "UPDATE campaign_member SET state = ?, why = ?, since = ? WHERE node = ? AND campaign = ? "
              "AND state = ?")
          .bind(nameOf(op.to), op.why, w.at, op.node, op.campaign, nameOf(op.from))
          .run();
  if (ended == 0) {
    const auto node = findNode(w.db, op.node);
    if (!node) return noSuchNode(op.node);
    return Error{Errc::Conflict,
                 fmt::format("{} is not {} in campaign {}", node->serial, nameOf(op.from), op.campaign.value)};
  }
  w.event("campaign.ended", op.node, {},
          withWhy({{"campaign", op.campaign.value}, {"state", nameOf(op.to)}}, op.why));
  return op.campaign.value;
}

}  // namespace zellige
