#include "web/api/identify.hpp"

namespace zellige::api {

Result<Identity> identify(Queries& queries, const HttpRequest& request, Time now) {
  const auto header = request.headers.get("Authorization");
  if (header.empty()) return Identity{};
  constexpr std::string_view scheme = "Bearer ";
  if (header.size() <= scheme.size() || header.size() > 300 ||
      !sameIgnoringCase(header.substr(0, scheme.size()), scheme))
    return Error{Errc::Auth, "the Authorization header is not a Bearer token"};
  const auto token = queries.validToken(hashToken(Secret{std::string(header.substr(scheme.size()))}), now);
  const auto user = token ? queries.user(token->user) : std::nullopt;
  if (!user || user->disabled)
    return Error{Errc::Auth, "this token is not valid, has expired or was revoked"};
  // An API token was made for this user on purpose, by somebody who may; only who signs in knows the password.
  return Identity{user->name, user->grants, token->id, user->mustChange && token->kind == TokenKind::Session};
}

}  // namespace zellige::api
