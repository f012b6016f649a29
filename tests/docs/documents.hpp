// What the documents say, as far as the code can hold them to it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace zellige::documents {

/// The codes that `text` has an entry for: lines that begin with "- **`code`**".
std::set<std::string> entriesIn(std::string_view text);

/// The event codes that a C++ source logs: the first argument of log::info, log::warn and log::error.
std::set<std::string> logCodesIn(std::string_view source);

/// The fenced blocks of this language, in order.
std::vector<std::string> blocksIn(std::string_view text, std::string_view language);

/// The lines of ```sh blocks, in order; empty ones are left out.
std::vector<std::string> commandsIn(std::string_view text);

/// The words of a command that name something of this repository: scripts, paths below a folder of the tree, build
/// outputs not among them.
std::vector<std::string> filesNamedBy(std::string_view command);

/// Targets of [text](target) that are paths, without "#…".
std::vector<std::string> linksIn(std::string_view text);

}  // namespace zellige::documents
