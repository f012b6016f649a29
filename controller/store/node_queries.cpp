// Lists of nodes. Each order has a covering index that is walked from the cursor on, so no page ever sorts the fleet;
// a "contains" search goes through the trigram index when few nodes match, and walks the order when many do.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/store/queries_impl.hpp"
#include "controller/store/where.hpp"

namespace zellige {

namespace {

/// Up to here a text search is answered from the set of its matches.
constexpr std::int64_t kFewMatches = 5'000;
/// And this many matches at most are looked at to count how many pass the other filters.
constexpr std::int64_t kCountedMatches = 20'000;

struct Order {
  std::string_view index;
  std::vector<std::string_view> columns;
};

Order orderOf(NodeSort sort) {
  switch (sort) {
    case NodeSort::Place: return {"node_by_place", {"place", "id"}};
    case NodeSort::Serial: return {"node_by_serial", {"serial"}};
    case NodeSort::Lifecycle: return {"node_by_lifecycle", {"lifecycle", "place", "id"}};
    case NodeSort::Since: break;
  }
  return {"node_by_since", {"lifecycle_since", "id"}};
}

std::string cursorOf(NodeSort sort, const Node& n) {
  Json key = Json::array({nameOf(sort)});
  switch (sort) {
    case NodeSort::Place: key.push_back(n.place.path); break;
    case NodeSort::Serial: key.push_back(n.serial); break;
    case NodeSort::Lifecycle: key.insert(key.end(), {nameOf(n.lifecycle), n.place.path}); break;
    case NodeSort::Since: key.push_back(toMillis(n.lifecycleSince)); break;
  }
  if (sort != NodeSort::Serial) key.push_back(n.id.value);
  return toHex(key.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::optional<std::string> fromHex(std::string_view hex) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

Result<void> startAfter(Where& where, NodeSort sort, bool descending, std::string_view cursor) {
  if (cursor.empty()) return {};
  const Error bad{Errc::Invalid, "the cursor does not belong to this list"};
  const auto text = fromHex(cursor);
  if (!text) return bad;
  const auto key = parseJson(*text, {.bytes = 4096, .depth = 2, .values = 8});
  const auto columns = orderOf(sort).columns;
  if (!key || !key->is_array() || key->size() != columns.size() + 1 || (*key)[0] != nameOf(sort)) return bad;
  std::string names, marks;
  for (const auto column : columns) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", column);
    marks += marks.empty() ? "?" : ", ?";
  }
  where.add(fmt::format("({}) {} ({})", names, descending ? "<" : ">", marks));
  for (std::size_t i = 1; i < key->size(); ++i) {
    const auto& v = (*key)[i];
    const bool number = columns[i - 1] == "id" || columns[i - 1] == "lifecycle_since";
    if (number ? !v.is_number_integer() : !v.is_string()) return bad;
    if (number)
      where.value(v.get<std::int64_t>());
    else
      where.value(v.get<std::string>());
  }
  return {};
}

std::string likePattern(const std::string& text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + "%";
}

std::string matchPhrase(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// Only what could stand in a MAC or address is searched there: those columns are in no index.
bool couldBeAddress(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isxdigit(c) || c == ':' || c == '.'; });
}

void addFilters(Where& where, const NodeFilter& f) {
  std::vector<std::string> lifecycles;
  for (const auto l : f.lifecycles) lifecycles.emplace_back(nameOf(l));
  if (!lifecycles.empty()) where.anyOf("lifecycle", std::move(lifecycles));
  if (f.kind) where.add("kind = ?", std::string(nameOf(*f.kind)));
  if (f.health) where.add("health = ?", std::string(nameOf(*f.health)));
  if (f.reachable) where.add(*f.reachable ? "unreachable_since IS NULL" : "unreachable_since IS NOT NULL");
  where.inside("place", f.place);
}

enum class Search { None, Beginning, Few, Many };

constexpr std::string_view kFew =
    "id IN (SELECT rowid FROM node_text WHERE node_text MATCH ? UNION SELECT node FROM component WHERE "
    "serial = ? AND "
    "serial <> '')";

void addText(Where& where, const std::string& text, Search search) {
  switch (search) {
    case Search::None: return;
    case Search::Beginning: {
      auto end = text;
      ++end.back();
      where.add("((serial >= ? AND serial < ?) OR (place >= ? AND place < ?))", text, end, text, end);
      return;
    }
    case Search::Few: where.add(kFew, matchPhrase(text), text); return;
    case Search::Many: break;
  }
  const auto like = likePattern(text);
  if (couldBeAddress(text))
    where.add(
        "(serial LIKE ? ESCAPE '\\' OR place LIKE ? ESCAPE '\\' OR bmc_mac LIKE ? ESCAPE '\\' OR "
        "bmc_address LIKE ? ESCAPE '\\')",
        like, like, like, like);
  else
    where.add("(serial LIKE ? ESCAPE '\\' OR place LIKE ? ESCAPE '\\')", like, like);
}

Search searchFor(Connection& db, const std::string& text) {
  if (text.empty()) return Search::None;
  // The trigram tokenizer counts characters; fewer than three bytes are surely fewer than three characters.
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  if (characters < 3) return Search::Beginning;
  auto q = db.query("SELECT count(*) FROM (SELECT 1 FROM node_text WHERE node_text MATCH ? LIMIT ?)");
  q.bind(matchPhrase(text), kFewMatches + 1);
  return q.step() && q.integer(0) > kFewMatches ? Search::Many : Search::Few;
}

void countMatches(Connection& db, const NodeFilter& filter, Search search, NodePage& page) {
  Where where;
  addFilters(where, filter);
  if (search != Search::Many) {
    addText(where, filter.text, search);
    auto q = db.query(fmt::format("SELECT count(*) FROM node{}", where.text()));
    where.bind(q);
    if (q.step()) page.total = q.integer(0);
    return;
  }
  Where many;
  addFilters(many, filter);
  auto q = db.query(
      fmt::format("SELECT count(*), count(CASE WHEN id IS NOT NULL THEN 1 END) FROM (SELECT rowid AS match "
                  "FROM node_text WHERE node_text MATCH ? LIMIT ?) LEFT JOIN (SELECT id FROM node{}) ON id = "
                  "match",
                  many.text()));
  q.bind(matchPhrase(filter.text), kCountedMatches);
  many.bind(q);
  if (!q.step()) return;
  page.total = q.integer(1);
  page.totalIsExact = q.integer(0) < kCountedMatches;
}

}  // namespace

NodeRow describeNode(Connection& db, Node node) {
  NodeRow row;
  {
    auto q = db.query(
        "SELECT r.id, r.workflow, r.step, r.waits_for FROM run_subject s JOIN run r ON r.id = s.run "
        "WHERE s.node = ? AND s.unfinished = 1");
    q.bind(node.id);
    if (q.step()) {
      row.run = {q.integer(0)};
      row.workflow = q.text(1);
      row.step = q.text(2);
      row.waitsFor = q.text(3);
    }
  }
  auto q = db.query(
      "SELECT cause, blocking FROM finding WHERE node = ? AND resolved IS NULL ORDER BY blocking DESC, id");
  q.bind(node.id);
  while (q.step())
    if (++row.openFindings == 1) row.cause = q.text(0);
  row.node = std::move(node);
  return row;
}

Result<NodePage> Queries::nodes(const NodeFilter& filter, NodeSort sort, bool descending,
                                std::string_view cursor, int limit) {
  auto& db = impl_->db;
  const auto snapshot = impl_->snapshot();
  const auto search = searchFor(db, filter.text);
  const auto order = orderOf(sort);
  Where where;
  if (auto ok = startAfter(where, sort, descending, cursor); !ok) return ok.error();
  addFilters(where, filter);
  addText(where, filter.text, search);
  std::string by;
  for (const auto column : order.columns)
    by += fmt::format("{}{}{}", by.empty() ? "" : ", ", column, descending ? " DESC" : "");
  // A small set of matches is sorted; everything else walks the index of the order.
  const auto index = search == Search::Few ? std::string("") : fmt::format(" INDEXED BY {}", order.index);
  NodePage page;
  std::vector<Node> found;
  {
    auto q = db.query(
        fmt::format("SELECT {} FROM node{}{} ORDER BY {} LIMIT ?", kNodeColumns, index, where.text(), by));
    where.bind(q);
    q.bind(limit + 1);
    while (q.step()) found.push_back(readNode(q));
  }
  if (static_cast<int>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    if (!found.empty()) page.next = cursorOf(sort, found.back());
  }
  for (auto& node : found) page.nodes.push_back(describeNode(db, std::move(node)));
  countMatches(db, filter, search, page);
  return page;
}

std::map<Lifecycle, std::int64_t> Queries::lifecycleCounts() {
  std::map<Lifecycle, std::int64_t> out;
  auto q = impl_->db.query("SELECT lifecycle, count(*) FROM node GROUP BY lifecycle");
  while (q.step()) out[readName<Lifecycle>(q, 0)] = q.integer(1);
  return out;
}

std::vector<RackCount> Queries::racks(std::string_view place) {
  Where where;
  where.inside("rack", std::string(place));
  auto q = impl_->db.query(
      fmt::format("SELECT rack, lifecycle, count(*), count(unreachable_since), sum(health <> 'ok') FROM node "
                  "INDEXED BY node_by_rack{} "
                  "GROUP BY rack, lifecycle ORDER BY rack, lifecycle",
                  where.text()));
  where.bind(q);
  std::vector<RackCount> out;
  while (q.step()) {
    if (const auto rack = q.text(0); out.empty() || out.back().rack != rack)
      out.push_back({rack, 0, 0, 0, {}});
    auto& r = out.back();
    r.lifecycles[readName<Lifecycle>(q, 1)] = q.integer(2);
    r.total += q.integer(2);
    r.unreachable += q.integer(3);
    r.notOk += q.integer(4);
  }
  return out;
}

std::vector<Rack> Queries::racksByRecipe(std::string_view after, const std::string& place,
                                         const std::vector<RackState>& states, int limit) {
  Where where;
  where.add("place > ?", std::string(after));
  where.inside("place", place);
  std::vector<std::string> names;
  for (const auto state : states) names.emplace_back(nameOf(state));
  if (!names.empty()) where.anyOf("state", std::move(names));
  auto q = impl_->db.query(
      fmt::format("SELECT {} FROM rack{} ORDER BY place LIMIT ?", kRackColumns, where.text()));
  where.bind(q);
  q.bind(limit);
  std::vector<Rack> out;
  while (q.step()) out.push_back(readRack(q));
  return out;
}

}  // namespace zellige
