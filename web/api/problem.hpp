// What went wrong, in the form of RFC 9457. `type` is stable; `detail` says what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/base/http_message.hpp"
#include "controller/base/json.hpp"
#include "controller/base/result.hpp"

namespace zellige::api {

enum class ProblemKind {
  BadRequest,           ///< 400: cannot be read as a request
  UnknownParameter,     ///< 400
  SignIn,               ///< 401
  Forbidden,            ///< 403
  PasswordChange,       ///< 403: signed in with a one-time password, which must be changed first
  NotFound,             ///< 404
  MethodNotAllowed,     ///< 405
  NotAcceptable,        ///< 406
  Conflict,             ///< 409: not in this state
  OffsetMismatch,       ///< 409: the next part of an upload begins elsewhere
  Changed,              ///< 412: If-Match does not hold any more
  TooLarge,             ///< 413
  UnsupportedMedia,     ///< 415
  RangeNotSatisfiable,  ///< 416
  Invalid,              ///< 422: understood, but wrong; `errors` says where
  KeyReused,            ///< 422: Idempotency-Key of another request
  TooManyRequests,      ///< 429
  Broken,               ///< 500
  Busy,                 ///< 503
};

/// One thing wrong in a body: RFC 6901 pointer and reason.
struct Wrong {
  std::string pointer, reason;
};

HttpReply problem(ProblemKind kind, std::string detail);
HttpReply invalid(std::string detail, const std::vector<Wrong>& errors);
/// `more` is merged into the document: where an upload stands, which file lines are wrong.
HttpReply problem(ProblemKind kind, std::string detail, const Json& more);
/// What the engine or the store refused.
HttpReply problem(const Error& error);

HttpReply jsonReply(int status, const Json& body);
HttpReply emptyReply(int status);

}  // namespace zellige::api
