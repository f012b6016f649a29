// One turn of one run: look, and if the look says so, act. Everything the engine promises about duplicates is here:
// the intent is durable before the act, Todo must be seen twice `settle` apart before an act may repeat, a new item is
// a new act, an unknown outcome is decided by looking.
#pragma once

#include "controller/engine/engine.hpp"

namespace zellige {

/// No contact with the machine, as opposed to an answer that says no.
inline bool isContact(const Error& e) { return e.code == Errc::Unreachable || e.code == Errc::Timeout; }
/// `first` doubled so many times, at most `most`.
Duration grown(Duration first, int doublings, Duration most);

class Turn {
 public:
  Turn(Engine& engine, Engine::Live& live) : engine_(engine), live_(live), run_(live.run) {}
  /// Runs until the run must wait. Sets live.due; the engine schedules it.
  Task<void> go();

 private:
  enum class Then { GoOn, Wait };

  Task<Then> lookOnce();
  Task<Result<void>> countDeath(StepContext& context, const Step& step);
  Task<Then> stepDone(StepContext& context, const Step& step);
  Task<Then> stepBusy(StepContext& context, const Step& step);
  Task<Then> stepTodo(StepContext& context, const Step& step);
  Task<Then> goBack(StepContext& context, const Step& step);
  Task<Then> actNow(StepContext& context, const Step& step);
  Task<Then> wait(StepContext& context, std::string reason, Duration atMost);
  // turn_trouble.cpp
  Task<Then> lookFailed(StepContext& context, const Step& step, Error error);
  Task<bool> isSilent(StepContext& context);
  Task<Then> contactFailed(StepContext& context, Error error);
  Task<Result<void>> contactRegained(StepContext& context);
  bool waitedTooLong() const;
  Task<Then> keptWaiting(StepContext& context, std::string reason);
  Task<Then> fail(StepContext& context, std::string cause, std::string detail);
  Task<Then> endWithoutNode();
  Task<Then> cancelled();
  Task<Then> linger(StepContext& context, const Step* step);

  const Step* currentStep();
  bool mayRepeat(const Step& step);
  bool asksAPerson(const Step& step) const;
  std::string lacksAddress(const StepContext& context) const;
  std::string mustWaitBefore(StepContext& context) const;
  void enterStep(const Step& step);
  void chooseItem(std::string item);
  void takeFrom(StepContext& context);
  bool overdue(const Step& step) const;
  bool mayHaveTakenEffect() const;
  bool mayStillBeBusy() const;
  void stall();
  bool goOn();
  void giveBackUnused(const Step& step);
  void sleep(Duration d);
  bool isOfSeveral() const { return run_.subject.size() > 1; }
  Time now() const { return engine_.executor_.now(); }
  /// The run and what the look or act left behind.
  Task<Result<void>> save(StepContext& context, std::string event, std::vector<Op> more = {});
  /// The run and `ops`, nothing else.
  Task<Result<void>> commit(std::string event, std::vector<Op> ops, std::string actor = "engine");

  Engine& engine_;
  Engine::Live& live_;
  Run& run_;
  bool settledTodo_ = false;  ///< this turn's look said Todo, and said so `settle` ago: the machine is not busy
};

}  // namespace zellige
