// A result tied to what it depended on: component serials, firmware, place. A swap or flash invalidates what depended
// on it, and nothing else.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/base/time.hpp"
#include "controller/model/ids.hpp"
#include "controller/model/inventory.hpp"

namespace zellige {

struct Evidence {
  NodeId node;
  RunId run;
  std::string subject;  ///< what was shown: "inventory", "settings", "firmware", "image", "burnin/gpu_gemm"
  std::string value;    ///< JSON: the numbers, versions or digests that were seen
  /// What it rests on, sorted: "serial:1333024020524", "gpu:GPU_0=1650…", "fw:FW_BMC_0=…", "place:H1/R01/RK001/U10",
  /// "profile:gb200-sim", "image:<digest>".
  std::vector<std::string> dependsOn;
  Time at{};
};

/// That something was shown once, and whether it still holds.
struct EvidenceMark {
  NodeId node;
  std::string subject;
  RunId run;  ///< that left it; 0: no run did
  bool holds = true;
};

/// What evidence may rest on, as it is written in dependsOn: "gpu:GPU_0" → serial, "fw:HGX_FW_GPU_0" → version.
using Parts = std::map<std::string, std::string>;
Parts partsOf(const Inventory& inventory);
/// True if what this dependency says is not so any more. A part that neither inventory knows says nothing.
bool isBroken(const std::string& dependency, const std::string& serial, const Parts& before,
              const Parts& after);

}  // namespace zellige
