// The frozen selection of one campaign in memory, as its rows say: which racks are open, who may begin next, how many have
// failed. It decides nothing that a row does not say, and knows neither runs nor machines.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/model/campaign.hpp"

namespace zellige {

class Cohort {
 public:
  struct Rack {
    std::string place;
    bool canary = false;
    std::vector<std::size_t> members;  ///< by their number in members()
    int pending = 0, running = 0;
    int busy = 0;         ///< members that are not under way, but whose machine may still be written
    bool looked = false;  ///< at all who are pending in it, and nothing has changed since
    std::string why;      ///< the first of them that could not begin then, and why; empty: all could
    bool isOpen() const { return running + busy > 0; }
    bool isOver() const { return pending == 0 && running == 0; }
  };

  void add(CampaignMember member);
  void clear() { *this = {}; }

  const std::vector<CampaignMember>& members() const { return members_; }
  const std::vector<Rack>& racks() const { return racks_; }
  const CampaignMember* find(NodeId node) const;
  const Rack& rackOf(const CampaignMember& member) const { return racks_[rackOf_.at(member.rack)]; }
  int in(MemberState state) const { return counts_[static_cast<std::size_t>(state)]; }
  int canaryIn(MemberState state) const { return canaryCounts_[static_cast<std::size_t>(state)]; }
  int openRacks() const { return open_; }
  bool canaryIsOver() const {
    return canaryIn(MemberState::Pending) == 0 && canaryIn(MemberState::Running) == 0;
  }

  void set(NodeId node, MemberState state);
  /// A run that is no member's any more may still write its machine: its rack is open.
  void setBusy(NodeId node, bool busy);
  bool isBusy(NodeId node) const { return busy_.contains(node); }
  /// The rack is looked at from now on: what changes after this is looked at again.
  void beginLook(std::size_t rack) { racks_[rack].looked = true; }
  void endLook(std::size_t rack, std::string why) { racks_[rack].why = std::move(why); }
  void lookAgain();  ///< at every rack
  /// False: nobody is pending there.
  bool lookAgainAt(const std::string& rack);

  /// The next rack from `from` on in which somebody may begin, within these limits; racks().size(): there is none.
  std::size_t nextRack(const Campaign& campaign, std::size_t from) const;
  /// How many may begin in this rack now.
  int room(const Campaign& campaign, const Rack& rack) const;
  /// Failures that the budget does not bear, or a canary that shows nothing. Empty: neither; else why the campaign has to
  /// halt.
  std::string overBudget(const Campaign& campaign) const;

 private:
  void count(const CampaignMember& member, int change);

  std::vector<CampaignMember> members_;
  std::vector<Rack> racks_;
  std::map<NodeId, std::size_t> byNode_;
  std::map<std::string, std::size_t> rackOf_;
  std::set<NodeId> busy_;
  int counts_[5] = {}, canaryCounts_[5] = {};
  int open_ = 0;
};

}  // namespace zellige
