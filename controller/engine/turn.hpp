// One turn of one run: look, and if the look says so, act. Everything the engine promises about duplicates is here:
// the intent is durable before the act, Todo must be seen twice `settle` apart before an act may repeat, a new item is
// a new act, an unknown outcome is decided by looking.
#pragma once

#include "controller/engine/engine.hpp"

namespace zellige {

class Turn {
 public:
  Turn(Engine& engine, Engine::Live& live) : engine_(engine), live_(live), run_(live.run) {}
  /// Runs until the run must wait. Sets live.due; the engine schedules it.
  Task<void> go();

 private:
  enum class Then { GoOn, Wait };

  Task<Then> lookOnce();
  Task<Then> stepDone(StepContext& context, const Step& step);
  Task<Then> stepBusy(StepContext& context, const Step& step);
  Task<Then> stepTodo(StepContext& context, const Step& step);
  Task<Then> goBack(StepContext& context, const Step& step);
  Task<Then> actNow(StepContext& context, const Step& step);
  Task<Then> lookFailed(StepContext& context, const Step& step, Error error);
  Task<Then> contactFailed(StepContext& context, Error error);
  Task<Then> fail(StepContext& context, std::string cause, std::string detail);
  Task<Then> wait(StepContext& context, std::string reason, Duration atMost);
  Task<Then> cancelled();
  Task<Then> linger(StepContext& context, const Step& step);

  bool mayRepeat(const Step& step);
  std::string mustWaitBefore(const StepContext& context) const;
  void enterStep(const Step& step);
  void takeFrom(StepContext& context);
  bool overdue(const Step& step) const;
  void sleep(Duration d);
  Task<Result<void>> save(StepContext& context, std::string event, std::vector<Op> more = {});

  Engine& engine_;
  Engine::Live& live_;
  Run& run_;
};

}  // namespace zellige
