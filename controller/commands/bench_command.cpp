#include "controller/commands/bench_command.hpp"

#include <CLI/CLI.hpp>

#include "controller/commands/bench.hpp"

namespace zellige::commands {

namespace {

void addDirectory(CLI::App& command, std::filesystem::path& directory) {
  command
      .add_option_function<std::string>(
          "--directory", [&directory](const std::string& given) { directory = given; }, "On which disk")
      ->check(CLI::ExistingDirectory);
}

void addStore(CLI::App& bench, std::function<int()>& chosen) {
  auto options = std::make_shared<StoreBenchCommand>();
  auto* command = bench.add_subcommand("store", "Durable transitions a second, against a bare sqlite3 loop");
  addDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &chosen] { chosen = [options] { return benchStore(*options); }; });
}

void addRedfish(CLI::App& bench, std::function<int()>& chosen) {
  auto options = std::make_shared<RedfishBenchCommand>();
  auto* command = bench.add_subcommand("redfish",
                                       "CPU of a GET over kept-alive TLS, against a bare libcurl loop");
  command->add_option("--bmcs", options->bmcs, "Machines that are asked in turn")->check(CLI::Range(1, 4'000));
  command->add_option("--rounds", options->rounds, "Measured rounds of each")->check(CLI::Range(1, 1'000));
  command->add_option("--passes", options->passes, "GETs of each machine in a round")
      ->check(CLI::Range(1, 1'000));
  command->add_option("--in-flight", options->inFlight, "GETs at a time")->check(CLI::Range(1, 4'000));
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &chosen] { chosen = [options] { return benchRedfish(*options); }; });
}

void addRestart(CLI::App& bench, std::function<int()>& chosen) {
  auto options = std::make_shared<RestartBenchCommand>();
  auto* command = bench.add_subcommand("restart", "From exec to the first connection of a resumed run");
  command->add_option("--nodes", options->nodes, "In the database")->check(CLI::Range(1, 1'000'000));
  command->add_option("--runs", options->runs, "Unfinished")->check(CLI::Range(1, 1'000'000));
  addDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &chosen] { chosen = [options] { return benchRestart(*options); }; });
}

// What bench starts of itself; for nobody else, so `--help` does not show it.
void addOwnProcesses(CLI::App& app, std::function<int()>& chosen) {
  auto bmcs = std::make_shared<int>(1);
  auto* server = app.add_subcommand("bench-server", "")->group("");
  server->add_option("--bmcs", *bmcs)->required();
  server->callback([bmcs, &chosen] { chosen = [bmcs] { return benchServer(*bmcs); }; });
}

}  // namespace

void addBench(CLI::App& app, std::function<int()>& chosen) {
  auto* bench = app.add_subcommand("bench", "Measure a part against its floor");
  bench->require_subcommand(1);
  addStore(*bench, chosen);
  addRedfish(*bench, chosen);
  addRestart(*bench, chosen);
  addOwnProcesses(app, chosen);
}

}  // namespace zellige::commands
