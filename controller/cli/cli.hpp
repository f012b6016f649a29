// The commands that speak to a running controller: site, import, node, run, finding, token, login.
#pragma once

#include <functional>
#include <memory>

#include "controller/cli/world.hpp"

namespace CLI {
class App;
}

namespace zellige::cli {

/// Adds the commands to `app`. Parsing one of them sets `chosen` to what then runs it over real HTTPS; both must live
/// until it has run. Exit codes: world.hpp; whatever CLI11 itself refuses should leave as Exit::Usage.
void addCommands(CLI::App& app, std::function<int()>& chosen);

/// The same for a world that the caller makes (tests): parsing sets `chosen` to the coroutine.
void addCommands(CLI::App& app, std::function<Task<int>(World&)>& chosen);

}  // namespace zellige::cli
