#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace zellige::commands {

/// Adds `docs`, which prints the documents that are generated; `chosen` becomes what runs when it was asked for.
void addDocs(CLI::App& app, std::function<int()>& chosen);

}  // namespace zellige::commands
