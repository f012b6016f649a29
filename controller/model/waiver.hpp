// A person's word that a rack goes on without one of its nodes until a day: provisional acceptance (decision 0017).
#pragma once

#include <optional>
#include <string>

#include "controller/base/time.hpp"
#include "controller/model/ids.hpp"

namespace zellige {

struct Waiver {
  WaiverId id;
  NodeId node;
  std::string by, reason;
  Time granted{}, until{};
  std::optional<Time> withdrawn;

  bool inForce(Time now) const { return !withdrawn && now < until; }
};

}  // namespace zellige
