// All operations, as data: who may call them, what they take, what answers them.
#pragma once

#include <span>
#include <string_view>

#include "controller/base/task.hpp"
#include "web/api/call.hpp"

namespace zellige::api {

struct Services;

enum class Takes { Nothing, Json, Bytes };
enum class Gives { Json, Text, Yaml, Bytes };

struct Route {
  std::string_view method, path;  ///< path with {…} for one segment each
  std::string_view operation;     ///< operationId in openapi.yaml
  Level needs;                    ///< somewhere; the handler asks again for the place it is about
  Task<HttpReply> (*handler)(Services&, Call);
  std::span<const std::string_view> query = {};
  Takes takes = Takes::Nothing;
  Gives gives = Gives::Json;
  std::size_t maxBytes = 64u << 10;  ///< of the body
  bool repeatable = true;            ///< POST: Idempotency-Key is taken; no: the answer holds a secret
};

std::span<const Route> routes();

struct Found {
  const Route* route = nullptr;  ///< nullptr: no such path, or not with this method
  std::vector<std::string> values;
  std::string allowed;  ///< methods of this path, for Allow; empty: no such path
};
/// HEAD is answered wherever GET is.
Found findRoute(std::string_view method, std::string_view path);

}  // namespace zellige::api
