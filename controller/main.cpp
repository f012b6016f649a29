// The command line: parses it and calls one command.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "controller/commands/bench_command.hpp"
#include "controller/commands/commands.hpp"

using namespace zellige;

int main(int argc, char** argv) {
  CLI::App app{"Zellige: from a delivered GPU rack to an accepted one"};
  app.require_subcommand(1);
  std::function<int()> chosen;

  commands::SimulateOptions simulate;
  auto* simulateCommand = app.add_subcommand("simulate", "Bring up a simulated fleet in virtual time");
  simulateCommand->add_option("--trays", simulate.trays, "Compute trays")->check(CLI::Range(1, 60'000));
  simulateCommand->add_option("--seed", simulate.seed, "The same seed gives the same events");
  simulateCommand->add_option("--faults", simulate.faults, "What goes wrong")->check(CLI::IsMember({"none", "light", "heavy"}));
  simulateCommand->add_option("--storm", simulate.stormMinutes, "Crash the controller, on average every so many virtual minutes")
      ->check(CLI::Range(10, 100'000));
  simulateCommand->add_option("--hours", simulate.hours, "Horizon, in virtual hours")->check(CLI::Range(1, 10'000));
  simulateCommand->add_flag("--json", simulate.json, "Print one JSON object");
  simulateCommand->callback([&] { chosen = [&] { return commands::simulate(simulate); }; });

  commands::KillSweepOptions sweep;
  auto* sweepCommand = app.add_subcommand("killsweep", "Kill the controller at every point of a workflow");
  sweepCommand->add_option("--workflow", sweep.workflow, "Only this one: qualify or power");
  sweepCommand->add_option("--pairs", sweep.pairs, "Also this many random pairs of points");
  sweepCommand->add_option("--seed", sweep.seed, "Of the simulated machine and of the pairs");
  sweepCommand->add_option("--mutate", sweep.mutate, "Damage the engine: the sweep must then find duplicates")
      ->check(CLI::IsMember({"none", "skip-look", "no-settle"}));
  sweepCommand->add_option("--every", sweep.every, "Only every n-th point")->check(CLI::Range(1, 10'000));
  sweepCommand->add_flag("--json", sweep.json, "Print one JSON object");
  sweepCommand->callback([&] { chosen = [&] { return commands::killSweep(sweep); }; });

  commands::addBench(app, chosen);

  CLI11_PARSE(app, argc, argv);
  try {
    return chosen();
  } catch (const std::exception& error) {
    fmt::print(stderr, "zellige: {}\n", error.what());
    return 1;
  }
}
