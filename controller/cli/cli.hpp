// The commands that speak to a running controller: site, import, backup, node, rack, run, finding, token, login.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>

#include "controller/cli/world.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace zellige::cli {

/// Adds the commands to `app`. Parsing one of them sets `chosen` to what then runs it over real HTTPS; both must live
/// until it has run. Exit codes: world.hpp.
void addCommands(CLI::App& app, std::function<int()>& chosen);

/// The same for a world that the caller makes (tests): parsing sets `chosen` to the coroutine.
void addCommands(CLI::App& app, std::function<Task<int>(World&)>& chosen);

/// Parses the words of the whole program. nullopt: what was chosen shall run. Otherwise the program ends with this exit
/// code: 0 after --help, Exit::Usage (never a number of CLI11's) for words that mean nothing, which `err` explains.
std::optional<int> parseWords(CLI::App& app, int count, const char* const* words, std::ostream& out,
                              std::ostream& err);

}  // namespace zellige::cli
