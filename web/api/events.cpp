// The audit trail, as it grows: a cursor and a long poll.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr std::int64_t kLongestWait = 30;  // seconds of wall time; below the idle timeouts of proxies

Result<std::int64_t> numberIn(const Call& call, const std::string& name, std::int64_t most) {
  const auto* text = call.filter(name);
  if (!text) return std::int64_t{0};
  std::int64_t out = 0;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (ec != std::errc{} || end != text->data() + text->size() || out < 0 || out > most)
    return Error{Errc::Invalid, fmt::format("{} must be a number from 0 to {}", name, most)};
  return out;
}

Result<EventFilter> filterOf(Services& services, const Call& call) {
  EventFilter filter;
  if (const auto* kinds = call.filter("kind")) {
    std::string_view rest = *kinds;
    while (!rest.empty()) {
      const auto cut = rest.find(',');
      filter.kinds.emplace_back(rest.substr(0, cut));
      rest = cut == std::string_view::npos ? std::string_view{} : rest.substr(cut + 1);
    }
    if (filter.kinds.size() > 20) return Error{Errc::Invalid, "at most 20 kinds"};
  }
  if (const auto* place = call.filter("place")) filter.place = *place;
  if (const auto* serial = call.filter("node")) {
    const auto id = services.store.nodeBySerial(*serial);
    if (!id) return Error{Errc::Invalid, fmt::format("there is no node '{}'", serial->substr(0, 64))};
    filter.node = *id;
  }
  return filter;
}

/// What is there after `after`. A filter may pass over many events: after a few rounds the page says how far it looked,
/// even if nothing was found, and the caller asks on from there.
EventPage look(Queries& queries, std::int64_t after, const EventFilter& filter, int limit) {
  constexpr int kRounds = 4;
  EventPage page;
  page.next = after;
  for (int i = 0; i < kRounds; ++i) {
    const auto from = page.next;
    page = queries.events(from, filter, limit);
    page.next = std::max(page.next, from);
    if (!page.events.empty() || page.next == from) break;
  }
  return page;
}

}  // namespace

Task<HttpReply> listEvents(Services& services, Call call) {
  const auto after = numberIn(call, "after", INT64_MAX);
  if (!after) co_return badParameter(after.error().what);
  const auto wait = numberIn(call, "wait", kLongestWait);
  if (!wait) co_return badParameter(wait.error().what);
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto filter = filterOf(services, call);
  if (!filter) co_return badParameter(filter.error().what);
  if (services.watch.waiting() >= 2000 && *wait > 0)
    co_return problem(ProblemKind::Busy, "too many wait for events; ask again in a few seconds");

  const auto until = services.now() + services.watch.engineTime(Duration{*wait * 1000});
  auto found = look(services.queries, *after, *filter, static_cast<int>(*limit));
  while (found.events.empty() && found.next >= services.queries.lastEvent() && services.now() < until) {
    const auto left = services.watch.wallTime(until - services.now());
    const bool more = co_await services.watch.after(found.next, left);
    if (!more) break;
    found = look(services.queries, found.next, *filter, static_cast<int>(*limit));
  }
  const Shapes shapes(services.store, services.engine);
  Json events = Json::array();
  for (const auto& event : found.events) events.push_back(shapes.event(event));
  co_return jsonReply(200, {{"events", std::move(events)}, {"next", found.next}});
}

}  // namespace zellige::api
