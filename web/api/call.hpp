// The REST API: what people and programs ask of the controller, as plain requests and replies. One file per resource
// (nodes.cpp, runs.cpp, …); routes.cpp is the table of all operations; shapes.cpp is how values look in JSON. This
// folder knows the store, the engine and HTTP's words; it never knows a socket, a BMC or what a workflow does.
//
// This header: one request on its way to a handler, and what handlers need to answer it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/base/http_message.hpp"
#include "controller/base/json.hpp"
#include "controller/model/node.hpp"
#include "controller/store/records.hpp"
#include "web/api/problem.hpp"

namespace zellige::api {

/// Who is at the other end of the connection, as the listener saw it.
struct Caller {
  std::string address;  ///< numeric, without port
};

/// What an operation asks of the caller; each includes those before it. Firmware owners and auditors may read, until
/// operations of their own exist; shift leads are technicians who also release other people's holds.
enum class Level { Anyone, Viewer, Technician, Operator, Admin };
Level levelOf(std::string_view role);
/// viewer, technician, shift_lead, operator, firmware_owner, admin, auditor.
bool isRole(std::string_view role);

struct Identity {
  std::string user;  ///< empty: nobody has signed in
  std::vector<RoleGrant> grants;
  TokenId token;
  bool mustChange = false;  ///< signed in with a password that somebody else knows

  /// Anywhere at all.
  bool may(Level level) const;
  /// Here, or in a place around it.
  bool may(Level level, const Place& place) const;
  bool has(std::string_view role, const Place& place) const;
};

/// One request, checked as far as its route allows.
struct Call {
  HttpRequest request;
  Caller caller;
  Identity who;
  std::vector<std::string> path;             ///< the values of {…} in the route's path, decoded, in order
  std::map<std::string, std::string> query;  ///< decoded; only names that the route knows
  std::shared_ptr<const Json> body;          ///< an object, if the route takes JSON

  const std::string* filter(const std::string& name) const {
    const auto it = query.find(name);
    return it == query.end() ? nullptr : &it->second;
  }
};

/// Reads the members of the request's object strictly: wrong types, lengths and unknown members are collected, and
/// refused() is the 422 that names them all.
class Body {
 public:
  explicit Body(const Call& call);
  /// `least` 0: may be missing. Lengths in bytes. Control characters are refused.
  std::string text(const std::string& name, std::size_t most, std::size_t least = 1);
  std::string reason() { return text("reason", 500); }
  bool flag(const std::string& name, bool otherwise);
  std::int64_t whole(const std::string& name, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  std::optional<Time> time(const std::string& name);
  /// An array of objects or of anything else; nullptr and a problem if it is no array or longer than `most`.
  const Json* array(const std::string& name, std::size_t most);
  void wrong(const std::string& pointer, std::string reason);
  std::optional<HttpReply> refused();

 private:
  const Json* member(const std::string& name);
  const Json& object_;
  std::vector<std::string> known_;
  std::vector<Wrong> wrong_;
};

/// 403 if the caller's roles do not reach `place`.
std::optional<HttpReply> refuseUnless(const Call& call, Level level, const Place& place);

/// Parses "2026-11-23T01:39:00Z" (seconds, or milliseconds); nullopt: something else.
std::optional<Time> parseTime(std::string_view text);

/// `limit` of a list: 1 … 500, 100 when not given.
Result<std::size_t> limitOf(const Call& call);

/// Percent-decoding; nullopt: broken, or a control character.
std::optional<std::string> decodePercent(std::string_view text, bool plusIsSpace);

}  // namespace zellige::api
