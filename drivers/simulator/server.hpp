// A tray's HTTP server: sessions, passwords, the table of what may be read and written. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim::server {

struct Answer {
  HttpReply reply;  ///< status 0: the BMC died over it
  Duration latency{0};
  bool acted = false;  ///< something was really changed (sessions do not count)
};

Answer answer(World& w, Machine& m, const HttpRequest& request);
/// It would open or end a session.
bool concernsSession(const HttpRequest& request);

/// PATCH and POST of what is no session. Status 404 if the machine has no such resource or action.
HttpReply patch(World& w, Machine& m, std::string_view path, const HttpRequest& request);
HttpReply post(World& w, Machine& m, std::string_view path, const HttpRequest& request);

}  // namespace zellige::sim::server
