// The command line: parses it and calls one command.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <sys/resource.h>

#include "controller/cli/cli.hpp"
#include "controller/commands/bench_command.hpp"
#include "controller/commands/campaign_rehearsal.hpp"
#include "controller/commands/commands.hpp"
#include "controller/commands/docs_command.hpp"
#include "controller/commands/serve.hpp"

namespace cli = zellige::cli;
namespace commands = zellige::commands;

namespace {

// Every BMC that is spoken to is an open file, and shells and systemd begin with 1,024 where thousands are allowed.
void allowManyFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // refused: serve says so when a connection finds none left
}

int run(int argc, char** argv) {
  CLI::App app{"Zellige: from a delivered GPU rack to an accepted one"};
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();  // --help tells them
  std::function<int()> chosen;

  commands::SimulateOptions simulate;
  auto* simulateCommand = app.add_subcommand("simulate", "Bring up a simulated fleet in virtual time");
  simulateCommand->add_option("--trays", simulate.trays, "Compute trays")->check(CLI::Range(1, 60'000));
  simulateCommand
      ->add_option("--racks", simulate.racks, "Whole racks instead: compute trays, switch trays, shelves")
      ->check(CLI::Range(1, 3'200));
  simulateCommand->add_option("--seed", simulate.seed, "The same seed gives the same events");
  simulateCommand->add_option("--faults", simulate.faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  simulateCommand
      ->add_option("--storm", simulate.stormMinutes,
                   "Crash the controller, on average every so many virtual minutes")
      ->check(CLI::Range(10, 100'000));
  simulateCommand->add_option("--hours", simulate.hours, "Horizon, in virtual hours")
      ->check(CLI::Range(1, 10'000));
  simulateCommand->add_flag("--json", simulate.json, "Print one JSON object");
  bool campaign = false;
  zellige::CampaignRehearsalOptions rehearsal;
  simulateCommand->add_flag("--campaign", campaign,
                            "Racks that are up already: a firmware campaign over them, and back again");
  simulateCommand->add_option("--window", rehearsal.window, "Of the campaign: racks at a time")
      ->check(CLI::Range(1, 3'200));
  simulateCommand
      ->add_option("--per-rack", rehearsal.perRack, "Of the campaign: trays at a time in a rack; 0: all")
      ->check(CLI::Range(0, 18));
  simulateCommand->add_option("--canary", rehearsal.canary, "Of the campaign: racks that go first")
      ->check(CLI::Range(0, 3'200));
  simulateCommand
      ->add_option("--failure-budget", rehearsal.failureBudget, "Of the campaign: so many may fail")
      ->check(CLI::Range(0, 60'000));
  simulateCommand->add_option("--failing", rehearsal.failing, "Share of the trays that take no firmware")
      ->check(CLI::Range(0.0, 1.0));
  simulateCommand->callback([&] {
    rehearsal.racks = std::max(1, simulate.racks);
    rehearsal.seed = simulate.seed;
    if (simulate.stormMinutes > 0) rehearsal.storm = std::chrono::minutes{simulate.stormMinutes};
    chosen = [&] {
      return campaign ? commands::simulateCampaign(rehearsal, simulate.json) : commands::simulate(simulate);
    };
  });

  commands::KillSweepOptions sweep;
  auto* sweepCommand = app.add_subcommand("killsweep", "Kill the controller at every point of a workflow");
  sweepCommand->add_option(
      "--workflow", sweep.workflow,
      "Only this one: qualify, qualify_switch, qualify_shelf, bring_up (a small rack) or power");
  sweepCommand->add_option("--pairs", sweep.pairs, "Also this many random pairs of points")
      ->check(CLI::NonNegativeNumber);
  sweepCommand->add_option("--seed", sweep.seed, "Of the simulated machine and of the pairs");
  sweepCommand->add_option("--mutate", sweep.mutate, "Damage the engine: the sweep must then find duplicates")
      ->check(CLI::IsMember({"none", "skip-look", "no-settle"}));
  sweepCommand->add_option("--every", sweep.every, "Only every n-th point")->check(CLI::Range(1, 10'000));
  sweepCommand->add_flag("--json", sweep.json, "Print one JSON object");
  sweepCommand->callback([&] { chosen = [&] { return commands::killSweep(sweep); }; });

  commands::ServeOptions serve;
  auto* serveCommand = app.add_subcommand("serve", "Run the controller");
  serveCommand->add_option("--config", serve.configuration, "YAML file; docs/operations.md has every key")
      ->check(CLI::ExistingFile);
  serveCommand->add_option("--data", serve.dataDir, "Data directory; goes before the file's data_dir");
  serveCommand->add_option("--api", serve.apiListen, "IP:PORT for people and scripts");
  serveCommand->add_option("--provisioning", serve.provisioningListen, "IP:PORT for agents and BMCs");
  serveCommand->add_flag("--reset-admin", serve.resetAdmin,
                         "Give the user admin a new one-time password, print it and end; the controller must "
                         "not run meanwhile");
  serveCommand->add_option("--speed", serve.speed, "Rehearsals: a faster clock")
      ->group("")
      ->check(CLI::Range(1.0, 1000.0));
  serveCommand->add_option("--origin", serve.origin, "Rehearsals: where that clock starts, UTC ms")
      ->group("");
  serveCommand->add_flag("--announce", serve.announce, "Tell a parent process when ready, in JSON")
      ->group("");
  serveCommand->callback([&] { chosen = [&] { return commands::serve(serve); }; });

  commands::SimulatorOptions simulator;
  auto* simulatorCommand = app.add_subcommand("simulator",
                                              "Serve simulated BMCs, or a recorded one, over HTTPS");
  simulatorCommand->add_option("--trays", simulator.trays, "Compute trays, one loopback address each")
      ->check(CLI::Range(1, 5'000));
  simulatorCommand->add_option("--racks", simulator.racks, "Whole racks instead")->check(CLI::Range(1, 100));
  simulatorCommand->add_option("--speed", simulator.speed, "How much faster than real the physics run")
      ->check(CLI::Range(1.0, 1000.0));
  simulatorCommand->add_option("--faults", simulator.faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  simulatorCommand->add_option("--seed", simulator.seed, "Of times and faults");
  simulatorCommand->add_option("--mockup", simulator.mockup, "Serve this recorded tree, read-only")
      ->check(CLI::ExistingDirectory);
  simulatorCommand->add_option("--listen", simulator.listen, "IP:PORT of the recorded tree");
  simulatorCommand->add_option("--site", simulator.site, "Write the files to import into this directory");
  simulatorCommand->add_option("--control", simulator.control,
                               "Numeric IP:PORT, on loopback, where `zellige node swap` finds it");
  simulatorCommand->add_option("--origin", simulator.origin, "Where the clock starts, UTC ms")->group("");
  simulatorCommand->callback([&] { chosen = [&] { return commands::simulator(simulator); }; });

  commands::DemoOptions demo;
  auto* demoCommand = app.add_subcommand("demo",
                                         "Take simulated trays from planned to available before your eyes");
  demoCommand->add_option("--trays", demo.trays, "Compute trays")->check(CLI::Range(1, 500));
  demoCommand->add_option("--racks", demo.racks, "Whole racks instead: compute trays, switch trays, shelves")
      ->check(CLI::Range(1, 20));
  demoCommand->add_option("--speed", demo.speed, "How much faster than real the machines are")
      ->check(CLI::Range(1.0, 600.0));
  demoCommand->add_option("--faults", demo.faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  demoCommand->add_option("--seed", demo.seed, "Of times, faults and kills");
  demoCommand->add_option("--kill9", demo.kills, "Kill the controller this many times")
      ->check(CLI::Range(0, 10'000));
  demoCommand->add_flag("--headless", demo.headless, "No live table");
  demoCommand->add_flag("--json", demo.json, "Print one JSON object at the end");
  demoCommand->callback([&] { chosen = [&] { return commands::demo(demo); }; });

  cli::addCommands(app, chosen);
  commands::addBench(app, chosen);
  commands::addDocs(app, chosen);

  if (const auto code = cli::parseWords(app, argc, argv, std::cout, std::cerr)) return *code;
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    allowManyFiles();
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "zellige: %s\n", error.what());
  }
  return 1;
}
