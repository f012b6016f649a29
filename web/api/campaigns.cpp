// Firmware campaigns: made, watched, paused, halted, gone back from.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr int kMostRacks = 100'000;

Json orNull(const std::string& text) { return text.empty() ? Json{} : Json(text); }

template <class E>
Json counts(const std::map<E, std::int64_t>& of) {
  Json out = Json::object();
  for (const auto& [value, name] : EnumNames<E>::table) {
    const auto it = of.find(value);
    out[std::string(name)] = it == of.end() ? 0 : it->second;
  }
  return out;
}

Json campaignShape(const CampaignRow& row, const Campaigns& campaigns) {
  const auto& c = row.campaign;
  return {{"id", c.id.value},
          {"name", c.name},
          {"baseline", c.baseline},
          {"kind", nameOf(c.kind)},
          {"place", c.place},
          {"profile", orNull(c.profile)},
          {"window", c.window},
          {"per_rack", c.perRack},
          {"canary", c.canary},
          {"failure_budget", c.failureBudget},
          {"forgiven", c.forgiven},
          {"state", nameOf(c.state)},
          {"goal", nameOf(c.goal)},
          {"since", iso8601(c.since)},
          {"reason", c.why},
          {"waits_for", orNull(campaigns.waitsFor(c.id))},
          {"created", iso8601(c.created)},
          {"created_by", c.createdBy},
          {"members", counts(row.members)}};
}

Json previewShape(const CampaignPreview& preview) {
  Json changes = Json::array();
  for (const auto& c : preview.changes)
    changes.push_back(
        {{"component", c.component}, {"found", c.found}, {"wanted", c.wanted}, {"nodes", c.nodes}});
  return {{"nodes", preview.nodes},
          {"racks", preview.racks},
          {"canary_nodes", preview.canaryNodes},
          {"compliant", preview.compliant},
          {"behind", preview.behind},
          {"unknown", preview.unknown},
          {"lifecycles", counts(preview.lifecycles)},
          {"changes", std::move(changes)},
          {"first_racks", preview.firstRacks},
          {"no_way_back", orNull(preview.noWayBack)}};
}

HttpReply noSuchCampaign(const std::string& id) {
  return problem(
      ProblemKind::NotFound,
      fmt::format("there is no campaign '{}'; list them with GET /api/v1/campaigns", id.substr(0, 32)));
}

std::optional<CampaignRow> campaignOf(Services& services, const Call& call) {
  const auto id = idOf(call.path[0]);
  return id == 0 ? std::nullopt : services.queries.campaign(CampaignId{id});
}

struct NewCampaign {
  Campaign campaign;
  std::optional<HttpReply> refused;
};
// Who only asks what would change need not say why.
NewCampaign readNew(const Call& call, bool isDryRun) {
  NewCampaign out;
  auto& c = out.campaign;
  Body body(call);
  c.name = body.text("name", 100);
  c.baseline = body.text("baseline", 64);
  const auto kind = fromName<NodeKind>(body.text("kind", 32));
  if (kind)
    c.kind = *kind;
  else
    body.wrong("/kind", "must be one of compute_tray, switch_tray, power_shelf");
  c.place = body.text("place", 200, 0);
  c.profile = body.text("profile", 64, 0);
  c.window = static_cast<int>(body.whole("window", 1, 0, kMostRacks));
  c.perRack = static_cast<int>(body.whole("per_rack", 0, 0, 1'000));
  c.canary = static_cast<int>(body.whole("canary", 0, 0, kMostRacks));
  c.failureBudget = static_cast<int>(body.whole("failure_budget", 0, 0, 1'000'000));
  c.why = isDryRun ? body.text("reason", 500, 0) : body.reason();
  out.refused = body.refused();
  if (!out.refused) out.refused = refuseUnless(call, Level::Operator, Place{c.place});
  return out;
}

// A campaign that can never end well is no conflict with what is there, but a wrong request.
HttpReply refusal(const Error& error) {
  return error.code == Errc::NotFound || error.code == Errc::Invalid
             ? problem(ProblemKind::Invalid, error.what)
             : problem(error);
}

Task<HttpReply> ask(Services& services, Call call, CampaignMove move) {
  const auto row = campaignOf(services, call);
  if (!row) co_return noSuchCampaign(call.path[0]);
  if (auto refused = refuseUnless(call, Level::Operator, Place{row->campaign.place}))
    co_return std::move(*refused);
  Body body(call);
  auto reason = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  const auto done = co_await services.campaigns.ask(row->campaign.id, move, call.who.user, std::move(reason));
  if (!done) co_return problem(done.error());
  co_return jsonReply(200, campaignShape(*services.queries.campaign(row->campaign.id), services.campaigns));
}

}  // namespace

Task<HttpReply> listCampaigns(Services& services, Call call) {
  const auto states = namesIn<CampaignState>(call, "state");
  if (!states) co_return badParameter(states.error().what);
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto before = cursorIn(call, "campaigns");
  if (!before) co_return badParameter(before.error().what);
  const auto found = services.queries.campaigns(*states, CampaignId{*before}, static_cast<int>(*limit));
  Json rows = Json::array();
  for (const auto& row : found.campaigns) rows.push_back(campaignShape(row, services.campaigns));
  co_return page("campaigns", std::move(rows), cursorOf("campaigns", found.next.value));
}

Task<HttpReply> createCampaign(Services& services, Call call) {
  const auto* dry = call.filter("dry_run");
  if (dry && *dry != "true" && *dry != "false") co_return badParameter("dry_run must be true or false");
  const bool isDryRun = dry && *dry == "true";
  auto wanted = readNew(call, isDryRun);
  if (wanted.refused) co_return std::move(*wanted.refused);
  if (isDryRun) {
    std::function<Result<CampaignPreview>()> work = [&store = services.store, campaign = wanted.campaign] {
      return store.queries()->previewCampaign(campaign);
    };
    const auto preview = co_await services.files.run(std::move(work));
    if (!preview) co_return refusal(preview.error());
    co_return jsonReply(200, previewShape(*preview));
  }
  const auto id = co_await services.campaigns.create(std::move(wanted.campaign), call.who.user);
  if (!id) co_return refusal(id.error());
  co_return jsonReply(201, campaignShape(*services.queries.campaign(*id), services.campaigns));
}

Task<HttpReply> getCampaign(Services& services, Call call) {
  const auto row = campaignOf(services, call);
  if (!row) co_return noSuchCampaign(call.path[0]);
  co_return jsonReply(200, campaignShape(*row, services.campaigns));
}

Task<HttpReply> listCampaignMembers(Services& services, Call call) {
  const auto row = campaignOf(services, call);
  if (!row) co_return noSuchCampaign(call.path[0]);
  const auto states = namesIn<MemberState>(call, "state");
  if (!states) co_return badParameter(states.error().what);
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto from = cursorIn(call, "members");
  if (!from) co_return badParameter(from.error().what);
  const auto found = services.queries.campaignMembers(row->campaign.id, *states, *from,
                                                      static_cast<int>(*limit));
  Json members = Json::array();
  for (const auto& m : found.members)
    members.push_back({{"serial", m.serial},
                       {"place", m.place},
                       {"lifecycle", nameOf(m.lifecycle)},
                       {"canary", m.member.canary},
                       {"state", nameOf(m.member.state)},
                       {"since", iso8601(m.member.since)},
                       {"before", orNull(m.member.previous)},
                       {"reason", orNull(m.member.why)}});
  co_return page("members", std::move(members), cursorOf("members", found.next));
}

Task<HttpReply> pauseCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::Pause);
}
Task<HttpReply> resumeCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::Resume);
}
Task<HttpReply> haltCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::Halt);
}
Task<HttpReply> cancelCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::Cancel);
}
Task<HttpReply> retryCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::Retry);
}
Task<HttpReply> rollBackCampaign(Services& services, Call call) {
  return ask(services, std::move(call), CampaignMove::RollBack);
}

Task<HttpReply> leaveOutMember(Services& services, Call call) {
  const auto row = campaignOf(services, call);
  if (!row) co_return noSuchCampaign(call.path[0]);
  const auto node = nodeOf(services, call.path[1]);
  if (!node) co_return noSuchNode(call.path[1]);
  if (auto refused = refuseUnless(call, Level::Operator, node->place)) co_return std::move(*refused);
  Body body(call);
  auto reason = body.reason();
  if (auto refused = body.refused()) co_return std::move(*refused);
  const auto done = co_await services.campaigns.leaveOut(row->campaign.id, node->id, call.who.user,
                                                         std::move(reason));
  if (!done) co_return problem(done.error());
  co_return jsonReply(200, campaignShape(*services.queries.campaign(row->campaign.id), services.campaigns));
}

}  // namespace zellige::api
