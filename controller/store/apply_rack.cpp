#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/store/apply.hpp"
#include "controller/store/rows.hpp"

namespace zellige {

Result<std::int64_t> apply(Writing& w, const MoveRack& op) {
  const auto moved = w.db.query("UPDATE rack SET state = ?, since = ? WHERE place = ? AND state = ?")
                         .bind(nameOf(op.to), w.at, op.place, nameOf(op.from))
                         .run();
  if (moved == 0)
    return Error{Errc::Conflict, fmt::format("{} is not {} any more", op.place, nameOf(op.from))};
  Json data{{"place", op.place}, {"from", nameOf(op.from)}, {"to", nameOf(op.to)}};
  if (!op.why.empty()) data["why"] = op.why;
  w.event("rack.state", {}, {}, data);
  return std::int64_t{0};
}

}  // namespace zellige
