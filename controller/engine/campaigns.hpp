// Firmware campaigns: begins the qualifying run of one node after the other on the campaign's baseline, inside its limits,
// and halts it when too many fail. What is remembered is in rows, one for each node of the selection; a look compares
// them with what became of the nodes' runs. So a crash loses nothing and repeats nothing.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "controller/engine/cohort.hpp"
#include "controller/engine/engine.hpp"

namespace zellige {

class Campaigns {
 public:
  Campaigns(Store& store, Engine& engine, Executor& executor);
  ~Campaigns();
  Campaigns(const Campaigns&) = delete;

  /// Takes up those that are not over. Once, after Engine::resume().
  void start();
  /// Something has changed where these nodes stand: a run has ended, contact is lost or back, a hold or a finding is gone.
  void look(const std::vector<NodeId>& nodes);
  /// The same of any node: a place was armed, a site imported.
  void lookAgain();
  /// To be told of a place in which nodes are not to be begun or under way any more, when that is durable.
  void onFreed(std::function<void(const std::string& place)> tell) { tellFreed_ = std::move(tell); }
  /// None has anything to do that it has not given to the engine, but to look again after a while in case it was not told.
  bool idle() const;

  // What people do. Errors as the ops of store.hpp say; NotFound: no such campaign; Conflict: its state does not allow it.
  Task<Result<CampaignId>> create(Campaign campaign, std::string who);
  Task<Result<void>> ask(CampaignId id, CampaignMove move, std::string who, std::string why);
  /// Takes a pending node out. Conflict: it is not pending (one that is under way ends with its run).
  Task<Result<void>> leaveOut(CampaignId id, NodeId node, std::string who, std::string why);

  /// Why it is not further, for a person: of one that runs, the first node whose run has been kept for long, else the
  /// first that could not begin when it was last looked at. Empty: it goes on by itself, or is over.
  std::string waitsFor(CampaignId id) const;

 private:
  struct Open;
  void readAgain(CampaignId id);
  void lookAt(Open& open);
  Task<void> lookUntilSettled(CampaignId id);
  Task<void> load(Open& open);
  Task<void> advance(Open& open);
  Task<void> judgeEnded(Open& open);
  void endedAs(Open& open, NodeId node, MemberState state);
  Task<void> beginMore(Open& open);
  Task<void> beginIn(Open& open, std::size_t rack);
  bool mayBeWritten(NodeId node) const;
  std::string stalledIn(const Open& open, const Cohort::Rack& rack) const;
  std::string takenIn(const std::string& rack) const;
  std::string whyNot(const Node& node) const;
  Task<bool> move(Open& open, CampaignState to, std::string why);
  Task<Result<void>> commit(std::string who, Op op);

  Store& store_;
  Engine& engine_;
  Executor& executor_;
  std::map<CampaignId, std::unique_ptr<Open>> open_;
  std::function<void(const std::string&)> tellFreed_;
};

}  // namespace zellige
