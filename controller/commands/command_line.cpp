// The command lines of what the program itself does. Options outlive the parsing: what was chosen runs after it.
#include "controller/commands/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "controller/commands/campaign_rehearsal.hpp"
#include "controller/commands/commands.hpp"
#include "controller/commands/serve.hpp"

namespace zellige::commands {

namespace {

using Chosen = std::function<int()>;

/// What `simulate` is given; of the two it does one.
struct Simulated {
  SimulateOptions fleet;
  bool isCampaign = false;
  CampaignRehearsalOptions campaign;

  int run() {
    if (!isCampaign) return simulate(fleet);
    campaign.racks = std::max(1, fleet.racks);
    campaign.seed = fleet.seed;
    if (fleet.stormMinutes > 0) campaign.storm = std::chrono::minutes{fleet.stormMinutes};
    return simulateCampaign(campaign, fleet.json);
  }
};

void addCampaignOptions(CLI::App& command, Simulated& options) {
  auto& campaign = options.campaign;
  command.add_flag("--campaign", options.isCampaign,
                   "Racks that are up already: a firmware campaign over them, and back again");
  command.add_option("--window", campaign.window, "Of the campaign: racks at a time")
      ->check(CLI::Range(1, 3'200));
  command.add_option("--per-rack", campaign.perRack, "Of the campaign: trays at a time in a rack; 0: all")
      ->check(CLI::Range(0, 18));
  command.add_option("--canary", campaign.canary, "Of the campaign: racks that go first")
      ->check(CLI::Range(0, 3'200));
  command.add_option("--failure-budget", campaign.failureBudget, "Of the campaign: so many may fail")
      ->check(CLI::Range(0, 60'000));
  command.add_option("--failing", campaign.failing, "Share of the trays that take no firmware")
      ->check(CLI::Range(0.0, 1.0));
}

void addSimulate(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Simulated>();
  auto& fleet = options->fleet;
  auto* command = app.add_subcommand("simulate", "Bring up a simulated fleet in virtual time");
  command->add_option("--trays", fleet.trays, "Compute trays")->check(CLI::Range(1, 60'000));
  command->add_option("--racks", fleet.racks, "Whole racks instead: compute trays, switch trays, shelves")
      ->check(CLI::Range(1, 3'200));
  command->add_option("--seed", fleet.seed, "The same seed gives the same events");
  command->add_option("--faults", fleet.faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  command
      ->add_option("--storm", fleet.stormMinutes,
                   "Crash the controller, on average every so many virtual minutes")
      ->check(CLI::Range(10, 100'000));
  command
      ->add_option("--down", fleet.downMinutes,
                   "How many virtual minutes it is down then; without it, a supervisor restarts it at once")
      ->check(CLI::Range(1, 1'000));
  auto* watts = command
                    ->add_option("--watts", fleet.watts,
                                 "Watts above idle that burn-in may draw at a time, over the site")
                    ->check(CLI::PositiveNumber);
  command
      ->add_option("--watts-per-minute", fleet.wattsPerMinute, "How quickly they may rise and fall together")
      ->needs(watts)
      ->check(CLI::PositiveNumber);
  command->add_option("--hours", fleet.hours, "Horizon, in virtual hours")->check(CLI::Range(1, 10'000));
  command->add_flag("--json", fleet.json, "Print one JSON object");
  addCampaignOptions(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return options->run(); }; });
}

void addKillSweep(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<KillSweepOptions>();
  auto* command = app.add_subcommand("killsweep", "Kill the controller at every point of a workflow");
  command->add_option(
      "--workflow", options->workflow,
      "Only this one: qualify, qualify_switch, qualify_shelf, bring_up (a small rack) or power");
  command->add_option("--pairs", options->pairs, "Also this many random pairs of points")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--seed", options->seed, "Of the simulated machine and of the pairs");
  command->add_option("--mutate", options->mutate, "Damage the engine: the sweep must then find duplicates")
      ->check(CLI::IsMember({"none", "skip-look", "no-settle"}));
  command->add_option("--every", options->every, "Only every n-th point")->check(CLI::Range(1, 10'000));
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &chosen] { chosen = [options] { return killSweep(*options); }; });
}

void addServe(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = app.add_subcommand("serve", "Run the controller");
  command->add_option("--config", options->configuration, "YAML file; docs/operations.md has every key")
      ->check(CLI::ExistingFile);
  command->add_option("--data", options->dataDir, "Data directory; goes before the file's data_dir");
  command->add_option("--api", options->apiListen, "IP:PORT for people and scripts");
  command->add_option("--provisioning", options->provisioningListen, "IP:PORT for agents and BMCs");
  command->add_flag("--reset-admin", options->resetAdmin,
                    "Give the user admin a new one-time password, print it and end; the controller must "
                    "not run meanwhile");
  command->add_option("--speed", options->speed, "Rehearsals: a faster clock")
      ->group("")
      ->check(CLI::Range(1.0, 1000.0));
  command->add_option("--origin", options->origin, "Rehearsals: where that clock starts, UTC ms")->group("");
  command->add_flag("--announce", options->announce, "Tell a parent process when ready, in JSON")->group("");
  command->callback([options, &chosen] { chosen = [options] { return serve(*options); }; });
}

void addSimulator(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<SimulatorOptions>();
  auto* command = app.add_subcommand("simulator", "Serve simulated BMCs, or a recorded one, over HTTPS");
  command->add_option("--trays", options->trays, "Compute trays, one loopback address each")
      ->check(CLI::Range(1, 5'000));
  command->add_option("--racks", options->racks, "Whole racks instead")->check(CLI::Range(1, 100));
  command->add_option("--speed", options->speed, "How much faster than real the physics run")
      ->check(CLI::Range(1.0, 1000.0));
  command->add_option("--faults", options->faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  command->add_option("--seed", options->seed, "Of times and faults");
  command->add_option("--mockup", options->mockup, "Serve this recorded tree, read-only")
      ->check(CLI::ExistingDirectory);
  command->add_option("--listen", options->listen, "IP:PORT of the recorded tree");
  command->add_option("--site", options->site, "Write the files to import into this directory");
  command->add_flag("--next-release", options->nextRelease,
                    "A newer baseline among them, for a campaign; both may be gone back from");
  command->add_option("--control", options->control,
                      "Numeric IP:PORT, on loopback, where `zellige node swap` finds it");
  command->add_option("--origin", options->origin, "Where the clock starts, UTC ms")->group("");
  command->callback([options, &chosen] { chosen = [options] { return simulator(*options); }; });
}

void addDemo(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DemoOptions>();
  auto* command = app.add_subcommand("demo",
                                     "Take simulated trays from planned to available before your eyes");
  command->add_option("--trays", options->trays, "Compute trays")->check(CLI::Range(1, 500));
  command->add_option("--racks", options->racks, "Whole racks instead: compute trays, switch trays, shelves")
      ->check(CLI::Range(1, 20));
  command->add_option("--speed", options->speed, "How much faster than real the machines are")
      ->check(CLI::Range(1.0, 600.0));
  command->add_option("--faults", options->faults, "What goes wrong")
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  command->add_option("--seed", options->seed, "Of times, faults and kills");
  command->add_option("--kill9", options->kills, "Kill the controller this many times")
      ->check(CLI::Range(0, 10'000));
  command->add_flag("--headless", options->headless, "No live table");
  command->add_flag("--json", options->json, "Print one JSON object at the end");
  command->callback([options, &chosen] { chosen = [options] { return demo(*options); }; });
}

}  // namespace

void addOwn(CLI::App& app, std::function<int()>& chosen) {
  addSimulate(app, chosen);
  addKillSweep(app, chosen);
  addServe(app, chosen);
  addSimulator(app, chosen);
  addDemo(app, chosen);
}

}  // namespace zellige::commands
