// The NVLink domain of a rack: one of its switch trays runs the control plane, which configures the fabric when every
// compute and switch tray is there.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "controller/base/json.hpp"
#include "drivers/simulator/world.hpp"

namespace zellige::sim::nvlink {

/// Why it must not be told to run the control plane; empty: it may.
std::string whyDuplicate(const World& w, const Machine& m);
/// What nmx-controller of this switch tray says of itself.
Json controlPlane(const World& w, const Machine& m);

}  // namespace zellige::sim::nvlink
