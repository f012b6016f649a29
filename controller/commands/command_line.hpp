#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace zellige::commands {

/// Adds `simulate`, `killsweep`, `serve`, `simulator` and `demo`; `chosen` becomes what runs when one was asked for.
void addOwn(CLI::App& app, std::function<int()>& chosen);

}  // namespace zellige::commands
