// A run: one execution of a workflow on its subject. It is a row until it ends; what is here is what a restart knows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"
#include "controller/engine/facts.hpp"
#include "controller/model/catalog.hpp"
#include "controller/model/ids.hpp"
#include "controller/model/node.hpp"

namespace zellige {

enum class RunState {
  Active,   ///< goes on when due, nudged, granted its needs or armed
  Blocked,  ///< no contact with the machine; goes on when it is back
  Done,
  Failed,  ///< ended with a finding
  Cancelled,
};
ZELLIGE_NAMES(RunState, {RunState::Active, "active"}, {RunState::Blocked, "blocked"},
              {RunState::Done, "done"}, {RunState::Failed, "failed"}, {RunState::Cancelled, "cancelled"});

enum class Lane { Operator, Rollout, Background };
ZELLIGE_NAMES(Lane, {Lane::Operator, "operator"}, {Lane::Rollout, "rollout"},
              {Lane::Background, "background"});

/// How far the act of the current (step, item) got. Stored before and after the act.
enum class ActPhase {
  None,      ///< nothing was intended since the step (or item) began
  Intended,  ///< the intent is durable; what became of it is not known
  Accepted,  ///< the device said yes
  Unknown,   ///< sent, no believable answer
  Refused,   ///< a definite no: nothing happened
};
ZELLIGE_NAMES(ActPhase, {ActPhase::None, "none"}, {ActPhase::Intended, "intended"},
              {ActPhase::Accepted, "accepted"}, {ActPhase::Unknown, "unknown"},
              {ActPhase::Refused, "refused"});

/// The act of one item of a step, as far as it got.
struct Act {
  ActPhase phase = ActPhase::None;
  int tries = 0;  ///< not those cut off by our own death
  Facts witness;  ///< of the last intent: what its look saw, for later looks to compare
  /// Something was sent, or may have been, and nobody said no.
  bool mayHaveTakenEffect() const { return phase != ActPhase::None && phase != ActPhase::Refused; }
  auto operator<=>(const Act&) const = default;
};

/// Cause of the finding with which a run over a whole rack ends when it has waited too long for one member. It is begun
/// again by itself when that one is back.
inline constexpr std::string_view kKeptWaiting = "rack.kept_waiting";

struct Run {
  RunId id;
  std::string workflow;
  std::vector<NodeId> subject;
  RunState state = RunState::Active;
  Lane lane = Lane::Background;
  std::string parameter;  ///< what the workflow was asked for ("off" of power); empty for most
  std::string target;     ///< digest of the frozen Target; empty: the workflow needs none

  std::string step;                 ///< id of the current step
  std::string item;                 ///< what in the step it is at ("write.bmc_tray"); empty for most
  std::map<std::string, Act> acts;  ///< by item: those of this step that were chosen so far
  int deaths = 0;                   ///< times we died between intent and result in this step
  int rounds = 0;                   ///< times a later step sent the run back
  Facts facts;                      ///< what steps leave for later steps: task URIs, what was written
  Time stepSince{};
  Duration excused{0};               ///< blocked earlier in this step: not counted against the deadline
  std::string waitsFor;              ///< for a person; empty while it is working
  std::optional<Time> blockedSince;  ///< it cannot go on since then: no contact, a hold, arming, a budget

  std::string startedBy;  ///< "engine", or who asked
  Time created{};
  std::optional<Time> ended;
  bool lingers = false;  ///< it has ended, but what it flashed may still be busy: its slot is not free yet

  /// Of the current item.
  Act& act() { return acts[item]; }
  const Act& act() const { return actOf(item); }
  const Act& actOf(std::string_view of) const;
  /// Time in the current step, less what is excused.
  Duration inStep(Time now) const {
    return now - stepSince - excused - (blockedSince ? now - *blockedSince : Duration{0});
  }
  bool unfinished() const { return state == RunState::Active || state == RunState::Blocked; }
};

/// What a run works towards, frozen when it starts. Stored once by digest, shared by all runs that mean the same.
struct Target {
  std::string digest;  ///< SHA-256 of its canonical JSON
  Profile profile;
  Sku sku;
  Baseline baseline;
  Plan plan;

  std::int64_t countIn(const std::vector<Node>& nodes) const;  ///< of the kind that it is for
};

}  // namespace zellige
