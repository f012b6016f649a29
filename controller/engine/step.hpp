// The engine: look, then act (DESIGN 2). A workflow is a list of steps; a step's look reads the world and says Todo,
// Busy or Done; its act runs only after a look said Todo and the intent is durable. This folder knows runs, budgets and
// time. It never knows Redfish, SQL, HTTP or what any workflow is about.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"
#include "controller/base/task.hpp"
#include "controller/base/text.hpp"
#include "controller/base/time.hpp"
#include "controller/engine/store.hpp"

namespace zellige {

class StepContext;

/// On what terms a machine may be stressed in some place. Its agent goes from idle to full, and back, along a straight line
/// in `ramp`: the time in which the tightest place around may go through all its watts, so that whatever coincides stays
/// within the ramps. Unless its lease is renewed it goes back by itself.
struct PowerTerms {
  Duration ramp{0};
  Duration lease{0};  ///< 0: nobody limits it
};

/// What steps may know of the site they run in.
struct Surroundings {
  std::string provisioningUrl;  ///< "https://10.0.0.1:8444", as BMCs and agents reach it
  /// A token that lets the bearer speak for this node; `purpose` is "boot-<run>" or "os".
  std::function<std::string(const Node& node, std::string_view purpose)> token;
  std::function<PowerTerms(const Place& place)> power;  ///< empty: nobody limits it

  PowerTerms powerAt(const Place& place) const { return power ? power(place) : PowerTerms{}; }
};

enum class Seen { Todo, Busy, Done };

/// How a second look can tell that an act took effect.
enum class Effect {
  Visible,    ///< the device shows it: a version, a task, a boot target
  Transient,  ///< shown only by comparison with a witness that the look left in the intent
  Ledger,     ///< the device cannot show it: a fact is written before and after
};
/// May a Ledger step be repeated after an unknown outcome, or must a person say so?
enum class Repeat { Safe, Ask };

/// Power: the watts that a machine draws above idle when it is stressed, by its SKU. All others count machines.
enum class Budget { Upload, Flash, ImageStream, Power };
ZELLIGE_NAMES(Budget, {Budget::Upload, "upload"}, {Budget::Flash, "flash"},
              {Budget::ImageStream, "image_stream"}, {Budget::Power, "power"});

/// What an act takes from the budgets: all at once, or it waits. Counted once for the run, at its first node's place: what
/// flashes several machines starts a run for each.
struct Needs {
  std::optional<Budget> duringAct;   ///< given back when the act returns
  std::optional<Budget> duringStep;  ///< held until a look says Done, or not Busy any more
};

struct Step {
  std::string_view id;     ///< stored ("firmware.write"); never renamed or numbered
  std::string_view title;  ///< for a person
  /// What is looked for, and what the act does to the machine: sentences for whoever owns it (docs/workflows.md).
  std::string_view about;
  Task<Result<Seen>> (*look)(StepContext&);
  Task<Result<void>> (*act)(StepContext&) = nullptr;  ///< nullptr: the step only waits or checks
  Effect effect = Effect::Visible;
  Repeat repeat = Repeat::Ask;
  Duration settle = 30s;      ///< longer than the BMC's lag in showing an act's effect
  Duration poll = 15s;        ///< while Busy
  Duration deadline = 30min;  ///< of the whole step, waits excused
  int maxTries = 3;
  Needs needs = {};
  std::string_view overdue = "step.deadline";  ///< cause of the finding when the deadline passes
  std::string_view spent = "step.tries";       ///< cause of the finding when tries or rounds are used up
  std::string_view again = {};            ///< a look that says Todo sends the run back to this earlier step
  std::optional<Lifecycle> reaches = {};  ///< the node's lifecycle when this step is Done
  /// For a run that has ended while it held `duringStep`: Busy while what it began may still run. nullptr: the look tells.
  Task<Result<Seen>> (*stillRuns)(StepContext&) = nullptr;
};

struct Workflow {
  std::string_view name;
  std::string_view about;  ///< what it is for, in sentences for whoever owns the machine
  std::span<const Step> steps;
  std::optional<NodeKind> kind = {};  ///< it is for this kind of node alone
  /// Kinds of node that one run of it takes together: all that a rack has of them. Empty: a run is about one node.
  std::span<const NodeKind> together = {};
  /// Of one over several nodes: it works towards the profile that those of this kind have. nullopt: towards none.
  std::optional<NodeKind> follows = {};
  bool qualifies = false;  ///< what a node of this kind goes through when it arrives, and after a repair
  /// Where a node may stand when it is started; empty: anywhere.
  std::span<const Lifecycle> startsIn = {};
  /// What it may be asked for (Run::parameter); empty: it is not asked for anything in particular.
  std::span<const std::string_view> parameters = {};
  /// Steps that older versions had: {old id, id to go on at}. An id that is nowhere stops the run with a finding.
  std::span<const std::pair<std::string_view, std::string_view>> resume = {};
  /// Facts that begin so tell what acts left on the machine. A new run takes them over from the last one of this workflow
  /// and subject, if that did not come to its end. Empty: every run begins with nothing.
  std::string_view inherits = {};
  /// The subject of the evidence that it leaves on each node when it is done: so it can be seen later whether that still
  /// holds. Empty: it leaves none of its own.
  std::string_view shows = {};
  /// Of one that qualifies: the subjects of what was shown of a node that it made available.
  std::vector<std::string> (*leaves)(const Target&, NodeKind) = nullptr;
  /// What it shows keeps people and machines from harm: no member is passed over because it is silent.
  bool guards = false;

  const Step* find(std::string_view id) const;
  /// The same, through the resume map: nullptr if neither knows the id.
  const Step* resumeAt(std::string_view id) const;
  const Step* next(const Step& step) const;  ///< nullptr: it was the last
  bool takesTogether(const Node& node) const;
};

/// What looks of one step remember for each other while this process lives.
using Scratchpad = std::map<std::string, std::string>;

/// What a look or an act may use and leave behind. Everything left behind is committed with the run's next change.
class StepContext {
 public:
  StepContext(Store& store, BmcDirectory& bmcs, const Surroundings& site, const Clock& clock, const Run& run,
              std::vector<Node> nodes, std::shared_ptr<const Target> target, Scratchpad& scratch)
      : store_(store), bmcs_(bmcs), site_(site), clock_(clock), run_(run), nodes_(std::move(nodes)),
        target_(std::move(target)), scratch_(scratch), item_(run.item), facts_(run.facts) {}

  const Node& node() const { return nodes_.front(); }
  const std::vector<Node>& nodes() const { return nodes_; }
  Bmc& bmc() { return bmcOf(node()); }
  Bmc& bmcOf(const Node& node);
  SwitchOs& os() { return osOf(node()); }  ///< of a switch tray
  SwitchOs& osOf(const Node& node);
  /// Who writes the node's firmware.
  FirmwareService& flasher();
  const Target& target() const { return *target_; }
  const Run& run() const { return run_; }
  Store& store() { return store_; }
  const Surroundings& site() const { return site_; }
  Time now() const { return clock_.now(); }
  /// How long the run has been in this step, less what is excused.
  Duration spent() const { return run_.inStep(now()); }

  // A look says…
  /// …which item its Todo is about. A new item has its own tries and settle.
  void chooseItem(std::string item) { item_ = std::move(item); }
  const std::string& item() const { return item_; }
  int tries() const { return run_.actOf(item_).tries; }
  /// …what it waits for, for a person.
  void waitFor(std::string_view what) { waitsFor_ = shortened(what, 500); }
  /// …that it is a person's turn, and for what: the time until then does not count against the step.
  void waitForPerson(std::string what) {
    waitsFor_ = std::move(what);
    stalled_ = true;
  }
  /// …which of several nodes it is about, should it fail. bmcOf and osOf say so by themselves.
  void isAbout(const Node& node) { about_ = node.id; }
  const Node& about() const;
  /// …what it saw, to be stored with the intent if an act follows.
  void witness(std::string_view key, std::string_view value) { witness_.set(key, value); }
  /// What the look before the last act of this item saw; nullopt: no act of this item was intended yet.
  std::optional<std::string> intended(std::string_view key) const;
  /// An act of this item was intended in this step, and not refused: it may have taken effect.
  bool wasIntended() const { return wasIntended(item_); }
  bool wasIntended(std::string_view item) const { return run_.actOf(item).mayHaveTakenEffect(); }
  /// An act of this item was accepted.
  bool wasAccepted() const { return run_.actOf(item_).phase == ActPhase::Accepted; }

  // Looks and acts leave…
  const Facts& facts() const { return facts_; }
  std::string fact(std::string_view key) const { return std::string(facts_.get(key)); }
  void setFact(std::string_view key, std::string_view value) { facts_.set(key, value); }
  /// …only if an act follows: stored with its intent. An empty value clears it.
  void setFactWithIntent(std::string_view key, std::string_view value) { intentFacts_.set(key, value); }
  void clearFact(std::string_view key) { facts_.erase(key); }
  /// …what is only remembered while this process lives (counts of equal readings).
  std::string& scratch(const std::string& key) { return scratch_[key]; }
  void leave(Op op) { outbox_.push_back(std::move(op)); }
  /// A finding that does not end the run by itself; return failure(cause, …) as well to end it.
  void find(std::string_view cause, std::string detail) { findOn(node(), cause, std::move(detail)); }
  /// The same on one of several. A run that ends with a cause that was found on some of its nodes blames only these; one
  /// over several nodes that found it on none takes none of them away (`rack.run_failed` on whom it was about).
  void findOn(const Node& node, std::string_view cause, std::string detail);

 private:
  friend class Turn;
  Store& store_;
  BmcDirectory& bmcs_;
  std::map<NodeId, std::shared_ptr<Bmc>> held_;
  std::map<NodeId, std::shared_ptr<SwitchOs>> heldOs_;
  const Surroundings& site_;
  const Clock& clock_;
  const Run& run_;
  std::vector<Node> nodes_;
  NodeId about_;
  std::shared_ptr<const Target> target_;
  Scratchpad& scratch_;
  std::string item_, waitsFor_;
  bool stalled_ = false;
  Facts facts_, witness_, intentFacts_;
  std::vector<Op> outbox_;
};

}  // namespace zellige
