// The command line: parses it and calls one command.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <sys/resource.h>

#include "controller/cli/cli.hpp"
#include "controller/commands/bench_command.hpp"
#include "controller/commands/command_line.hpp"
#include "controller/commands/docs_command.hpp"

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

  commands::addOwn(app, chosen);
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
