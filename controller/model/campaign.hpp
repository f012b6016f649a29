// A firmware campaign: one baseline over many nodes, rack by rack in a sliding window, with a canary and a budget of
// failures. What it selects is frozen when it is made.
#pragma once

#include <string>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"
#include "controller/model/ids.hpp"
#include "controller/model/node.hpp"

namespace zellige {

enum class CampaignState {
  Running,
  Paused,  ///< by a person, or because its database was restored
  Halted,  ///< the same, because something is wrong: by a person or by its failure budget
  Done,    ///< nobody is pending or under way any more; some may have failed
  Cancelled,
};
ZELLIGE_NAMES(CampaignState, {CampaignState::Running, "running"}, {CampaignState::Paused, "paused"},
              {CampaignState::Halted, "halted"}, {CampaignState::Done, "done"},
              {CampaignState::Cancelled, "cancelled"});

/// What a person may ask of one that was made. Retry: who has failed is pending again. RollBack: its goal is back.
enum class CampaignMove { Pause, Resume, Halt, Cancel, Retry, RollBack };

/// Forward: to the campaign's baseline. Back: to what each node had before it.
enum class CampaignGoal { Forward, Back };
ZELLIGE_NAMES(CampaignGoal, {CampaignGoal::Forward, "forward"}, {CampaignGoal::Back, "back"});

struct Campaign {
  CampaignId id;
  std::string name;
  std::string baseline;        ///< in the catalogue
  std::string baselineDigest;  ///< of its document when the campaign was made: an import may change it since

  // The selection
  NodeKind kind = NodeKind::ComputeTray;
  std::string place;    ///< and everything inside; "": the whole site
  std::string profile;  ///< only nodes of this one; "": of any

  // The limits
  int window = 1;   ///< racks at a time that have a node under way. A rack is the failure domain
  int perRack = 0;  ///< nodes at a time in one rack; 0: all of it, for an NVLink domain is down with its first
  int canary = 0;   ///< racks that go first; the others begin when these are over
  int failureBudget = 0;  ///< so many nodes may fail; the next failure halts it, and each one in the canary does
  int forgiven = 0;       ///< failures that a person has seen and gone on after: the budget counts from there
  bool canaryWaived = false;  ///< a person has gone on after a canary in which no node got the baseline

  CampaignState state = CampaignState::Running;
  CampaignGoal goal = CampaignGoal::Forward;
  std::string why;  ///< of the state it is in
  std::string createdBy;
  Time created{};
  Time since{};  ///< in this state

  bool isOver() const { return state == CampaignState::Done || state == CampaignState::Cancelled; }
};

enum class MemberState {
  Pending,
  Running,
  Done,
  Failed,
  LeftOut,  ///< it was not touched, or a person took it out
};
ZELLIGE_NAMES(MemberState, {MemberState::Pending, "pending"}, {MemberState::Running, "running"},
              {MemberState::Done, "done"}, {MemberState::Failed, "failed"},
              {MemberState::LeftOut, "left_out"});

/// One node of the selection, in the order in which they are taken.
struct CampaignMember {
  CampaignId campaign;
  int ordinal = 0;
  NodeId node;
  std::string rack;
  bool canary = false;
  MemberState state = MemberState::Pending;
  bool begun = false;          ///< the campaign has given it its baseline: there is something to go back from
  std::string previous;        ///< the baseline that it had before
  std::string previousDigest;  ///< of its document then; "": not known
  std::string why;             ///< it failed or was left out
  Time since{};
};

}  // namespace zellige
