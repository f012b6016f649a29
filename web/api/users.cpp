// People who may sign in, and their roles.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr std::size_t kShortestPassword = 12;

bool isName(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@';
  });
}

std::vector<RoleGrant> readRoles(Body& body) {
  std::vector<RoleGrant> out;
  const auto* list = body.array("roles", 50);
  if (!list) return out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = (*list)[i];
    const auto pointer = fmt::format("/roles/{}", i);
    const auto role = readString(item, "role");
    const auto place = item.is_object() && item.contains("place") ? readString(item, "place")
                                                                  : std::optional<std::string>("");
    if (!role || !isRole(*role))
      body.wrong(pointer + "/role",
                 "must be viewer, technician, shift_lead, operator, firmware_owner, admin or auditor");
    else if (!place || place->size() > 200)
      body.wrong(pointer + "/place", "must be a path as H1/R01, or empty for the whole site");
    else
      out.push_back({*role, *place});
  }
  if (out.empty()) body.wrong("/roles", "must grant at least one role");
  return out;
}

}  // namespace

Task<HttpReply> getMe(Services& services, Call call) {
  const auto user = services.queries.user(call.who.user);
  if (!user) co_return problem(ProblemKind::SignIn, "this user is not there any more");
  co_return jsonReply(200, shape(*user));
}

Task<HttpReply> listUsers(Services& services, Call) {
  Json users = Json::array();
  for (const auto& user : services.queries.users()) users.push_back(shape(user));
  co_return jsonReply(200, {{"users", std::move(users)}});
}

Task<HttpReply> createUser(Services& services, Call call) {
  Body body(call);
  User user;
  user.name = body.text("name", 64);
  const Secret password{body.text("password", 256, kShortestPassword)};
  user.grants = readRoles(body);
  const auto why = body.reason();
  if (!isName(user.name)) body.wrong("/name", "may have letters, digits and . _ - @");
  if (auto refused = body.refused()) co_return std::move(*refused);
  if (auto refused = refuseUnless(call, Level::Admin, Place{})) co_return std::move(*refused);
  std::function<std::string()> hash = [password] { return hashPassword(password); };
  user.passwordHash = co_await services.passwords.run(std::move(hash));
  user.created = services.now();
  user.mustChange = true;
  By by{call.who.user, why};
  const auto done = co_await services.store.createUser(user, std::move(by));
  if (!done) co_return problem(done.error());
  const auto stored = services.queries.user(user.name);
  co_return jsonReply(201, shape(stored ? *stored : user));
}

Task<HttpReply> changePassword(Services& services, Call call) {
  Body body(call);
  const Secret current{body.text("current", 256)};
  const Secret fresh{body.text("password", 256, kShortestPassword)};
  if (auto refused = body.refused()) co_return std::move(*refused);
  auto user = services.queries.user(call.who.user);
  if (!user) co_return problem(ProblemKind::SignIn, "this user is not there any more");
  if (services.attempts.mustWait(user->name, call.caller.address, services.now()) > Duration{0})
    co_return problem(ProblemKind::TooManyRequests,
                      "too many wrong passwords; wait five minutes and try again");
  // The new hash, or empty if the current password is another.
  std::function<std::string()> work = [hash = user->passwordHash, current, fresh] {
    return verifyPassword(hash, current) ? hashPassword(fresh) : std::string{};
  };
  user->passwordHash = co_await services.passwords.run(std::move(work));
  if (user->passwordHash.empty()) {
    services.attempts.wrong(user->name, call.caller.address, services.now());
    co_return problem(ProblemKind::Forbidden, "the current password is another; try again");
  }
  user->mustChange = false;
  By by{user->name, "own password"};
  const auto done = co_await services.store.changeUser(std::move(*user), std::move(by), call.who.token);
  if (!done) co_return problem(done.error());
  co_return emptyReply(204);
}

}  // namespace zellige::api
