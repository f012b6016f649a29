// Who may include whom (DESIGN 4), as data, and the check that a file keeps to it. A new folder, or a new arrow between
// two, is a line in the table of include_rule.cpp and a reason in the commit.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zellige::include_rule {

/// A folder of the tree, or a file that stands for itself ("controller/bmc.hpp"), and what it may include besides
/// itself.
struct Folder {
  std::string_view name;
  std::vector<std::string_view> mayInclude;
};
std::span<const Folder> folders();

struct Include {
  int line = 0;
  std::string path;
  bool quoted = false;  ///< "…", not <…>
};
/// The #include lines of a source text; not those in comments.
std::vector<Include> includesOf(std::string_view source);

/// Everything in `source`, the text of `file` (a path from the repository root), that breaks the rule, as
/// "workflows/image.cpp:7: …"; empty: nothing does.
std::vector<std::string> violations(std::string_view file, std::string_view source);

}  // namespace zellige::include_rule
