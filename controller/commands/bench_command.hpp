#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace zellige::commands {

/// Adds `bench` and what it starts of itself; `chosen` becomes what runs when it was asked for.
void addBench(CLI::App& app, std::function<int()>& chosen);

}  // namespace zellige::commands
