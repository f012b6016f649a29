#include "web/api/gate.hpp"

#include "web/api/identify.hpp"
#include "web/api/routes.hpp"

namespace zellige::api {

namespace {
constexpr std::size_t kForm = 64u << 10;  ///< taken from anybody, where the operation takes a body at all
}

Gate::Gate(const SqliteStore& store, const Clock& clock) : clock_(clock), queries_(store.queries()) {}

Gate::Verdict Gate::judge(const HttpRequest& head) {
  const auto found = findRoute(head.method, head.path());
  if (!found.route || found.route->takes == Takes::Nothing)
    return {kForm, 413};  // the handler says what is wrong
  const auto& route = *found.route;
  if (route.maxBytes <= kForm) return {route.maxBytes, 413};
  const std::lock_guard lock(mutex_);
  const auto who = identify(*queries_, head, clock_.now());
  if (!who || who->user.empty()) return {kForm, 401};
  if (who->mustChange || !who->may(route.needs)) return {kForm, 403};
  return {route.maxBytes, 413};
}

}  // namespace zellige::api
