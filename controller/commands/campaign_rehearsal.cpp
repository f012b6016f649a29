#include "controller/commands/campaign_rehearsal.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "controller/base/log.hpp"
#include "controller/base/random.hpp"
#include "controller/commands/outcome.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/simulation.hpp"
#include "controller/commands/site_end.hpp"
#include "controller/commands/virtual_site.hpp"
#include "drivers/simulator/profile.hpp"

namespace zellige {

namespace {

constexpr Duration kHorizon = 60 * 24h;  // of each part; nothing waits for it
constexpr int kAlways = 1'000'000;

const sim::Profile& tray() { return sim::profileOf(sim::MachineKind::ComputeTray); }

VirtualSiteOptions siteOf(const CampaignRehearsalOptions& options) {
  VirtualSiteOptions site;
  sim::fillRacks(site.fleet, options.racks);
  site.fleet.seed = options.seed;
  site.fleet.asWanted = site.fleet.nextRelease = true;
  site.fleet.timeSigma = options.timeSigma;
  site.engine.mutation = options.mutation;
  site.storm = options.storm;
  Random random(options.seed, "trays that take no firmware");
  const auto& chosen = options.failingTrays;
  for (int machine = 0; machine < site.fleet.trays; ++machine)
    if (random.chance(options.failing) || std::find(chosen.begin(), chosen.end(), machine) != chosen.end())
      site.fleet.scripted.push_back({machine, sim::FaultKind::CompletedCritical, Duration{0}, 0, kAlways});
  return site;
}

/// The site, the campaign on it, and what was noticed.
class Rehearsal {
 public:
  explicit Rehearsal(const CampaignRehearsalOptions& options)
      : options_(options), site_(scratch_.path(), siteOf(options)) {
    for (const auto machine : site_.fleet().machines())
      if (site_.fleet().kind(machine) == sim::MachineKind::ComputeTray)
        trayOf_[*site_.store().nodeBySerial(site_.fleet().serial(machine))] = machine;
    for (const auto& [machine, kind] : site_.fleet().faultsScheduled())
      out_.failing.push_back(site_.fleet().serial(sim::MachineId{machine}));
  }

  CampaignRehearsal run() {
    comeUp();
    goForward();
    judge(CampaignGoal::Forward);
    goBack();
    judge(CampaignGoal::Back);
    out_.kills = site_.kills();
    return std::move(out_);
  }

 private:
  Campaign row() { return *site_.store().campaign(id_); }
  std::vector<CampaignMember> members() { return site_.store().campaignMembers(id_, 0, trayOf_.size()); }
  void wrong(std::string what) { out_.wrong.push_back(std::move(what)); }

  template <class T>
  static Task<void> keep(Task<Result<T>> task, std::optional<Result<T>>& out) {
    out.emplace(co_await task);
  }
  template <class T>
  T await(Task<Result<T>> task) {
    std::optional<Result<T>> out;
    site_.spawn(keep(std::move(task), out));
    for (const int kills = site_.kills(); !out && kills == site_.kills();) site_.runFor(1s);
    if (!out)
      throw std::runtime_error("the controller died in the second in which it was asked: take another seed");
    if (!*out) throw std::runtime_error(out->error().what);
    if constexpr (!std::is_void_v<T>) return std::move(**out);
  }

  // As a person does who sees that it was not done: asks again. The controller may die meanwhile.
  template <class Ask, class Done>
  void insist(Ask ask, Done done) {
    while (!done()) {
      std::optional<Result<void>> answer;
      auto asked = ask(site_.plane().campaigns());
      site_.spawn(keep(std::move(asked), answer));
      for (const int kills = site_.kills(); !answer && kills == site_.kills();) site_.runFor(1s);
      if (answer && !*answer) throw std::runtime_error(answer->error().what);
    }
  }
  void ask(CampaignMove move, const char* why, std::function<bool()> done) {
    insist([&](Campaigns& campaigns) { return campaigns.ask(id_, move, "rehearsal", why); }, done);
  }
  static Task<Result<void>> make(Campaigns& campaigns, Campaign wanted) {
    const auto made = co_await campaigns.create(std::move(wanted), "rehearsal");
    if (!made) co_return made.error();
    co_return Result<void>{};
  }

  // Until no run is unfinished.
  void settle() {
    site_.runFor(1min);  // what was asked for has begun
    if (site_.isAtRest() || site_.run(site_.now() - site_.started() + kHorizon)) return;
    for (const auto& run : site_.store().unfinishedRuns())
      wrong(fmt::format("run {} of {} has not ended after {} h: {} {}", run.id.value, run.workflow,
                        kHorizon / 1h, run.step, run.waitsFor));
    wrong("it did not settle");
  }

  void comeUp() {
    settle();
    for (const auto& [node, machine] : trayOf_)
      if (site_.store().node(node)->lifecycle != Lifecycle::Available)
        throw std::runtime_error(site_.store().node(node)->serial + " did not come up");
    for (const auto& [node, machine] : trayOf_) busyBefore_[node] = site_.fleet().busyUnion(machine).total;
    site_.fleet().measurePeaksAnew();
  }

  void goForward() {
    Campaign campaign;
    campaign.name = "rehearsal";
    campaign.baseline = tray().baselineOf(sim::kNextRelease);
    campaign.window = options_.window;
    campaign.perRack = options_.perRack;
    campaign.canary = options_.canary;
    campaign.failureBudget = options_.failureBudget;
    const auto began = site_.now();
    insist([&](Campaigns& campaigns) { return make(campaigns, campaign); },
           [&] { return !site_.store().openCampaigns().empty(); });
    id_ = site_.store().openCampaigns().front().id;
    settle();
    while (row().state == CampaignState::Halted) {
      judgeHalt();
      ask(CampaignMove::Resume, "seen", [&] { return row().state != CampaignState::Halted; });
      settle();
    }
    judgeState();
    judgeTimes(began);
    out_.forward = site_.fleet().peak();
  }

  // A halt comes at the first failure that the budget does not bear, and nothing begins after it.
  void judgeHalt() {
    const auto halted = row();
    const auto all = members();
    int failed = 0, canary = 0;
    for (const auto& m : all) {
      failed += m.state == MemberState::Failed ? 1 : 0;
      canary += m.state == MemberState::Failed && m.canary ? 1 : 0;
      if (m.state == MemberState::Pending) continue;
      const auto run = site_.store().lastRunOf(m.node, {});
      if (run && run->startedBy.starts_with("campaign") && run->created > halted.since)
        wrong(fmt::format("node {} was begun after the halt", m.node.value));
    }
    // What was under way went on to its end, and may have failed after the halt.
    const auto since = std::count_if(all.begin(), all.end(), [&](const auto& m) {
      return m.state == MemberState::Failed && m.since > halted.since;
    });
    const int counted = failed - static_cast<int>(since) - halted.forgiven;
    out_.failedAtHalts.push_back(counted);
    const bool inCanary = canary > halted.forgiven;
    if (counted != (inCanary ? 1 : halted.failureBudget + 1))
      wrong(fmt::format("halted at {} failures with a budget of {}{}", counted, halted.failureBudget,
                        inCanary ? ", in the canary" : ""));
  }

  void judgeTimes(Time began) {
    std::map<std::string, Duration> took, inAll;  // by rack
    Time canaryEnd = began, end = began;
    for (const auto& m : members()) {
      ++out_.nodes;
      out_.done += m.state == MemberState::Done ? 1 : 0;
      out_.failed += m.state == MemberState::Failed ? 1 : 0;
      if (m.canary) {
        canaryEnd = std::max(canaryEnd, m.since);
        continue;
      }
      end = std::max(end, m.since);
      const auto busy = site_.fleet().busyUnion(trayOf_.at(m.node)).total - busyBefore_.at(m.node);
      took[m.rack] = std::max(took[m.rack], busy + kMandatoryWaits);
      inAll[m.rack] += busy + kMandatoryWaits;
    }
    if (options_.perRack > 0)
      for (auto& [rack, time] : took) time = std::max(time, inAll[rack] / options_.perRack);
    Duration all{0}, longest{0};
    for (const auto& [rack, time] : took) {
      all += time;
      longest = std::max(longest, time);
    }
    out_.makespan = end - canaryEnd;
    out_.reference = all / options_.window + longest;
  }

  void goBack() {
    site_.fleet().measurePeaksAnew();
    ask(CampaignMove::RollBack, "it was only a rehearsal", [&] { return row().goal == CampaignGoal::Back; });
    leaveOutTheFailed();
    settle();
    judgeState();
    out_.back = site_.fleet().peak();
    for (const auto& m : members()) out_.wentBack += m.state == MemberState::Done ? 1 : 0;
  }

  // They are in quarantine, and would keep it open until somebody has mended them.
  void leaveOutTheFailed() {
    for (const auto& m : members()) {
      if (site_.store().node(m.node)->lifecycle != Lifecycle::Quarantined) continue;
      const auto isOut = [&, ordinal = m.ordinal] {
        return site_.store().campaignMembers(id_, ordinal, 1).front().state == MemberState::LeftOut;
      };
      insist([&](Campaigns& campaigns) { return campaigns.leaveOut(id_, m.node, "rehearsal", "it is out"); },
             isOut);
    }
  }

  void judgeState() {
    if (row().state != CampaignState::Done)
      wrong(fmt::format("it is {}: {}", nameOf(row().state), site_.plane().campaigns().waitsFor(id_)));
  }

  void judge(CampaignGoal goal) {
    const auto peak = site_.fleet().peak();
    if (peak.racksFlashing > options_.window)
      wrong(fmt::format("{} racks were written at a time; the window is {}", peak.racksFlashing,
                        options_.window));
    if (options_.perRack > 0 && peak.flashesInARack > options_.perRack)
      wrong(fmt::format("{} trays of a rack were written at a time; {} may be", peak.flashesInARack,
                        options_.perRack));
    const std::set<std::string> failing(out_.failing.begin(), out_.failing.end());
    const auto baseline = tray().baselineOf(goal == CampaignGoal::Forward ? sim::kNextRelease
                                                                          : sim::kWantedRelease);
    const auto target = await(site_.store().freezeTarget(std::string(tray().profile), baseline));
    const Wanted wanted{target->baseline, target->profile.imageDigest, target->profile.settings};
    for (const auto& [id, machine] : trayOf_) {
      const auto node = *site_.store().node(id);
      const bool available = node.lifecycle == Lifecycle::Available;
      if (available == failing.contains(node.serial))
        wrong(fmt::format("{} is {}{}", node.serial, nameOf(node.lifecycle),
                          available ? " though it takes no firmware" : ""));
      if (!available) continue;
      if (auto missing = lacks(site_.fleet().groundTruth(machine), wanted); !missing.empty())
        wrong(fmt::format("{} is available, but {} (to be {})", node.serial, missing, baseline));
    }
    judgeSite();
  }

  // Findings, racks and what was sent, as after any simulation; but that the chosen trays fail, it does not expect.
  void judgeSite() {
    auto end = endOf(site_);
    for (const auto& serial : out_.failing) {
      const auto asItMust = serial + " is quarantined (firmware.rejected: ";
      const auto found = std::erase_if(end.unexpected,
                                       [&](const auto& text) { return text.starts_with(asItMust); });
      if (found != 1) wrong(fmt::format("{} was not quarantined with firmware.rejected", serial));
    }
    for (const auto* said : {&end.unexpected, &end.wrongEndStates, &end.duplicates})
      for (const auto& text : *said) wrong(text);
  }

  CampaignRehearsalOptions options_;
  Scratch scratch_;
  VirtualSite site_;
  std::map<NodeId, sim::MachineId> trayOf_;
  std::map<NodeId, Duration> busyBefore_;
  CampaignId id_;
  CampaignRehearsal out_;
};

}  // namespace

CampaignRehearsal rehearseCampaign(const CampaignRehearsalOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  auto out = Rehearsal(options).run();
  out.wallSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return out;
}

int commands::simulateCampaign(const CampaignRehearsalOptions& options, bool json) {
  log::setLevel(log::Level::Error);
  const auto r = rehearseCampaign(options);
  const double ratio = r.reference.count() > 0 ? inSeconds(r.makespan) / inSeconds(r.reference) : 0;
  if (json) {
    Json out{{"nodes", r.nodes},
             {"failing", r.failing.size()},
             {"done", r.done},
             {"failed", r.failed},
             {"went_back", r.wentBack},
             {"failed_at_halts", r.failedAtHalts},
             {"window", options.window},
             {"most_racks_flashing", std::max(r.forward.racksFlashing, r.back.racksFlashing)},
             {"most_flashes_in_a_rack", std::max(r.forward.flashesInARack, r.back.flashesInARack)},
             {"makespan_s", inSeconds(r.makespan)},
             {"reference_s", inSeconds(r.reference)},
             {"ratio", ratio},
             {"wrong", r.wrong},
             {"kills", r.kills},
             {"seed", options.seed},
             {"wall_s", r.wallSeconds}};
    fmt::print("{}\n", out.dump(2));
    return r.wrong.empty() ? 0 : 1;
  }
  fmt::print("{} trays, {} of which take no firmware: {} done, {} failed, halted {} times; {} went back\n",
             r.nodes, r.failing.size(), r.done, r.failed, r.failedAtHalts.size(), r.wentBack);
  fmt::print(
      "window {} racks, at most {} were written at a time; makespan {:.0f} s, R·T/U + longest T {:.0f} s\n",
      options.window, std::max(r.forward.racksFlashing, r.back.racksFlashing), inSeconds(r.makespan),
      inSeconds(r.reference));
  for (const auto& line : r.wrong) fmt::print("wrong: {}\n", line);
  return r.wrong.empty() ? 0 : 1;
}

}  // namespace zellige
