#include "controller/store/events.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/store/documents.hpp"
#include "controller/store/meta.hpp"

namespace zellige {

namespace {

EventChain::Head chainStart(Connection& db) {
  const auto sequence = findMeta(db, "events.removed_to");
  return {sequence.empty() ? 0 : std::stoll(sequence), findMeta(db, "events.removed_hash")};
}

StoredEvent readEvent(const Query& row) {
  return {row.integer(0),
          row.time(1),
          row.text(2),
          {row.isNull(3) ? 0 : row.integer(3)},
          {row.isNull(4) ? 0 : row.integer(4)},
          row.text(5),
          row.text(6),
          row.text(7)};
}

void appendNumber(std::string& out, std::int64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

std::string chained(Sha256& hash, std::string_view previous, std::string_view line) {
  hash.add(previous);
  hash.add(line);
  return hash.hex();
}

}  // namespace

EventChain::EventChain(Connection& db) : db_(db) {
  auto q = db.query("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1");
  head_ = q.step() ? Head{q.integer(0), q.text(1)} : chainStart(db);
}

Json withWhy(Json data, const std::string& why) {
  if (!why.empty()) data["why"] = why;
  return data;
}

std::string canonicalLine(const StoredEvent& e) {
  std::string out;
  out.reserve(160 + e.actor.size() + e.data.size() + e.kind.size());
  appendQuoted(out += R"({"actor":)", e.actor);
  appendNumber(out += R"(,"at":)", toMillis(e.at));
  out.append(R"(,"data":)").append(e.data);
  appendQuoted(out += R"(,"kind":)", e.kind);
  appendNumber(out += R"(,"node":)", e.node.value);
  appendNumber(out += R"(,"run":)", e.run.value);
  appendNumber(out += R"(,"sequence":)", e.sequence);
  return out += '}';
}

std::int64_t EventChain::append(StoredEvent event) {
  event.sequence = head_.sequence + 1;
  event.hash = chained(hash_, head_.hash, canonicalLine(event));
  db_.query(
         "INSERT INTO event (sequence, at, kind, node, run, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, "
         "?)")
      .runWith(event.sequence, event.at, event.kind, event.node, event.run, event.actor, event.data,
               event.hash);
  head_ = {event.sequence, std::move(event.hash)};
  return head_.sequence;
}

void Writing::event(std::string_view kind, NodeId node, RunId run, const Json& data) {
  chain.append(StoredEvent{0, at, std::string(kind), node, run, actor, canonical(data), {}});
}

void Writing::wordEvent(std::string_view kind, NodeId node, std::initializer_list<Word> words) {
  std::string data;
  data.reserve(96);
  for (const auto& [key, word] : words) {
    appendQuoted(data += data.empty() ? '{' : ',', key);
    appendQuoted(data += ':', word);
  }
  chain.append(StoredEvent{0, at, std::string(kind), node, {}, actor, data += '}', {}});
}

Result<void> verifyEvents(Connection& db) {
  auto head = chainStart(db);
  Sha256 hash;
  auto q = db.query("SELECT sequence, at, kind, node, run, actor, data, hash FROM event ORDER BY sequence");
  while (q.step()) {
    const auto event = readEvent(q);
    if (event.sequence != head.sequence + 1)
      return Error{Errc::Invalid,
                   fmt::format("the audit trail lacks event {}: it was removed", head.sequence + 1)};
    if (chained(hash, head.hash, canonicalLine(event)) != event.hash)
      return Error{Errc::Invalid, fmt::format("event {} of the audit trail was changed after it was written",
                                              event.sequence)};
    head = {event.sequence, event.hash};
  }
  return {};
}

}  // namespace zellige
