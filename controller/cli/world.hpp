// Commands for people and scripts; they speak the REST API and know nothing else of the controller. What a command may
// touch of the outside is here, so that tests can give it another outside.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

#include "controller/base/executor.hpp"
#include "drivers/http/transport.hpp"

namespace zellige::cli {

/// What scripts can trust.
enum class Exit {
  Ok = 0,
  Failed = 1,    ///< what was asked for ended badly, or the server refused it
  Usage = 2,     ///< the command line cannot be understood
  NoAccess = 3,  ///< not reached, or not signed in
  Conflict = 4,  ///< the thing is in another state than the command needs
};

struct World {
  http::Transport& transport;
  Executor& executor;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  ///< a person looks at `err`: progress may be redrawn
  std::filesystem::path home;
  std::function<std::string(const std::string&)> environment;  ///< empty: not set
  std::size_t columns = 0;  ///< of the terminal that shows `out`; 0: a pipe or a file, where nothing is cut
};

/// Options of every command.
struct Options {
  std::string url, ca, pin;
  std::string output = "table";
  std::string reason;
  bool wait = false;

  bool json() const { return output == "json"; }
};

}  // namespace zellige::cli
