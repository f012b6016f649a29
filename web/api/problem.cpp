#include "web/api/problem.hpp"

#include <nlohmann/json.hpp>

namespace zellige::api {

namespace {

struct Kind {
  ProblemKind kind;
  int status;
  std::string_view type, title;
};

constexpr Kind kKinds[] = {
    {ProblemKind::BadRequest, 400, "/problems/bad-request", "The request cannot be read"},
    {ProblemKind::UnknownParameter, 400, "/problems/unknown-parameter", "A query parameter is not known"},
    {ProblemKind::SignIn, 401, "/problems/sign-in", "Sign in first"},
    {ProblemKind::Forbidden, 403, "/problems/forbidden", "Your roles do not allow this"},
    {ProblemKind::PasswordChange, 403, "/problems/password-change", "Change your one-time password first"},
    {ProblemKind::NotFound, 404, "/problems/not-found", "There is no such thing"},
    {ProblemKind::MethodNotAllowed, 405, "/problems/method-not-allowed", "This cannot be done here"},
    {ProblemKind::NotAcceptable, 406, "/problems/not-acceptable", "No such representation"},
    {ProblemKind::Conflict, 409, "/problems/conflict", "Not in its present state"},
    {ProblemKind::OffsetMismatch, 409, "/problems/offset-mismatch", "The upload stands elsewhere"},
    {ProblemKind::Changed, 412, "/problems/changed", "It has changed meanwhile"},
    {ProblemKind::TooLarge, 413, "/problems/too-large", "The body is too large"},
    {ProblemKind::UnsupportedMedia, 415, "/problems/unsupported-media", "The body is of the wrong type"},
    {ProblemKind::RangeNotSatisfiable, 416, "/problems/range", "The range lies outside"},
    {ProblemKind::Invalid, 422, "/problems/invalid", "Something in the request is wrong"},
    {ProblemKind::KeyReused, 422, "/problems/key-reused", "This Idempotency-Key was used for another request"},
    {ProblemKind::TooManyRequests, 429, "/problems/too-many-requests", "Too many requests"},
    {ProblemKind::Broken, 500, "/problems/broken", "The controller failed"},
    {ProblemKind::Busy, 503, "/problems/busy", "The controller is busy"},
};

const Kind& entry(ProblemKind kind) {
  for (const auto& k : kKinds)
    if (k.kind == kind) return k;
  return kKinds[0];
}

ProblemKind kindOf(const Error& error) {
  switch (error.code) {
    case Errc::NotFound: return ProblemKind::NotFound;
    case Errc::Conflict:
    case Errc::Rejected:
    case Errc::NotArmed: return ProblemKind::Conflict;
    case Errc::Busy: return ProblemKind::Busy;
    case Errc::Invalid:
    case Errc::BadReply: return ProblemKind::Invalid;
    case Errc::Auth:
    case Errc::PasswordExpired: return ProblemKind::Forbidden;
    case Errc::Unreachable:
    case Errc::Timeout:
    case Errc::Unsupported: return ProblemKind::Broken;
  }
  return ProblemKind::Broken;
}

std::string text(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

HttpReply problem(ProblemKind kind, std::string detail, const Json& more) {
  const auto& k = entry(kind);
  Json body{{"type", k.type}, {"title", k.title}, {"status", k.status}, {"detail", std::move(detail)}};
  if (more.is_object()) body.update(more);
  HttpReply reply;
  reply.status = k.status;
  reply.headers.set("Content-Type", "application/problem+json");
  if (kind == ProblemKind::SignIn) reply.headers.set("WWW-Authenticate", "Bearer");
  reply.body = text(body);
  return reply;
}

HttpReply problem(ProblemKind kind, std::string detail) {
  return problem(kind, std::move(detail), Json::object());
}

HttpReply invalid(std::string detail, const std::vector<Wrong>& errors) {
  Json list = Json::array();
  for (const auto& e : errors) list.push_back({{"pointer", e.pointer}, {"reason", e.reason}});
  return problem(ProblemKind::Invalid, std::move(detail), Json{{"errors", std::move(list)}});
}

HttpReply problem(const Error& error) { return problem(kindOf(error), error.what); }

HttpReply jsonReply(int status, const Json& body) {
  HttpReply reply;
  reply.status = status;
  reply.headers.set("Content-Type", "application/json");
  reply.body = text(body);
  return reply;
}

HttpReply emptyReply(int status) {
  HttpReply reply;
  reply.status = status;
  return reply;
}

}  // namespace zellige::api
