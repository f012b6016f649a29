#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace zellige::commands {

/// Adds `bench` and what it starts of itself; `chosen` becomes what runs when it was asked for.
void addBench(CLI::App& app, std::function<int()>& chosen);

}  // namespace zellige::commands
