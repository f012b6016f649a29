// A rack held against its recipe: for whom each stage holds, who is out, and which runs are missing. All of it is read
// from lifecycles, evidence and the last runs at one moment; nothing is remembered (decision 0011).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/engine.hpp"
#include "controller/model/rack.hpp"

namespace zellige {

/// For whom one stage holds.
struct Standing {
  std::vector<const Node*> members;  ///< that are not out
  std::vector<const Node*> waiting;  ///< of these, for whom it does not hold yet
  std::vector<std::string> out;      ///< who is there, but is not waited for, and why
  int wanted = 0;                    ///< members of a complete rack

  int passed() const { return static_cast<int>(members.size() - waiting.size()); }
  bool whole() const { return passed() == wanted; }
  bool isOver(const Recipe::Stage& stage) const {
    return waiting.empty() && passed() >= stage.atLeast.value_or(wanted);
  }
};

/// What comes of those for whom a stage that may begin does not hold yet.
struct Missing {
  std::vector<StartRun> starts;
  int running = 0;                   ///< members that a run works on
  int stopped = 0;                   ///< members that wait for a person, or for a pause to end
  std::vector<std::string> because;  ///< why they do: one text a run
};

class Ranks {
 public:
  /// `now`: the moment that all of this is about.
  Ranks(Store& store, const Engine& engine, const Recipe& recipe, const std::string& place, Time now);

  /// Why this recipe cannot be followed: it asks for what no workflow does; empty: it can.
  std::string misfit() const;
  /// Who is not on the manifest though the recipe wants it, or the other way round; empty: it is complete.
  std::string lacks() const;
  Standing of(const Recipe::Stage& stage);
  /// Why a stage may not begin though its earlier ones are over: it takes all members together, and a campaign is not done
  /// with some of them. Empty: it may.
  std::string keptBack(const Recipe::Stage& stage) const;
  /// For a stage whose earlier ones are over. `asked`: by a person, who wants also what had failed or was cancelled.
  Missing missing(const Recipe::Stage& stage, const Standing& standing, bool asked);
  /// Why a rack is not accepted though every stage holds: a member with a blocking finding, or long without contact.
  std::string trouble();
  /// When the passing of time may next change an answer that was given.
  std::optional<Time> changesAt() const { return changesAt_; }

 private:
  using Members = std::vector<const Node*>;
  enum class Turn { Begins, Runs, Stopped };

  std::string misfit(const Recipe::Stage& stage, const Workflow& flow) const;
  bool holds(const Workflow& flow, const Node& node);
  std::string isOut(const Recipe::Stage& stage, const Workflow& flow, const Node& node);
  bool isSilentForLong(const Node& node);
  Turn turnOf(const Workflow& flow, const Members& subject, bool asked, std::string& why);
  Turn afterWaiting(const Members& subject, const Run& last, std::string& why);
  bool hasLostEvidence(const Workflow& flow, const Node& node);
  bool isBrokenSince(const Workflow& flow, const Members& subject, const Run& last);
  const EvidenceMark* shown(NodeId node, std::string_view subject) const;
  const std::optional<Run>& lastRun(NodeId node, std::string_view workflow);
  void expect(Time at);

  Store& store_;
  const Engine& engine_;
  const Recipe& recipe_;
  Time now_;
  std::vector<Node> nodes_;  ///< not the retired ones
  std::vector<EvidenceMark> marks_;
  std::optional<Campaign> campaign_;  ///< that works on a node here, or will
  std::map<std::pair<NodeId, std::string>, std::optional<Run>> lastRuns_;
  std::optional<Time> changesAt_;
};

}  // namespace zellige
