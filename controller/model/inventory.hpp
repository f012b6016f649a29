// What a machine says it is made of, as read from its BMC once; plain values, lenient about what is missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller/base/names.hpp"

namespace zellige {

enum class ComponentKind { Cpu, Gpu, Memory, Nic, Dpu, Drive, Bmc, Board, Rot, Cpld, Psu, Switch, Other };
ZELLIGE_NAMES(ComponentKind, {ComponentKind::Cpu, "cpu"}, {ComponentKind::Gpu, "gpu"},
              {ComponentKind::Memory, "memory"}, {ComponentKind::Nic, "nic"}, {ComponentKind::Dpu, "dpu"},
              {ComponentKind::Drive, "drive"}, {ComponentKind::Bmc, "bmc"}, {ComponentKind::Board, "board"},
              {ComponentKind::Rot, "rot"}, {ComponentKind::Cpld, "cpld"}, {ComponentKind::Psu, "psu"},
              {ComponentKind::Switch, "switch"}, {ComponentKind::Other, "other"});

/// A part. `complete`: present, with the identity that such a part must have (a GPU without model, serial or NVLink
/// ports is not there, whatever its Status says: FACTS 9).
struct Component {
  ComponentKind kind = ComponentKind::Other;
  std::string name;  ///< the BMC's id: "GPU_0", "HGX_ERoT_BMC_0"
  std::string serial, model, part;
  bool complete = true;
  bool sick = false;  ///< Critical, or Absent where something should be
  std::string why;    ///< when not complete or sick: what was read
  auto operator<=>(const Component&) const = default;
};

struct FirmwareItem {
  std::string id;       ///< "HGX_FW_GPU_0"
  std::string version;  ///< as reported, trimmed
  bool updateable = false;
  bool absent = false;  ///< the machine says that it is not there
  bool unread = false;  ///< listed, and no answer: the version is unknown, neither behind nor as wanted
  auto operator<=>(const FirmwareItem&) const = default;
};

struct Inventory {
  std::string serial;  ///< the machine's own serial (FACTS 1: where each vendor keeps it)
  std::string manufacturer, model;
  std::int64_t memoryGiB = 0;
  std::vector<Component> components;
  std::vector<FirmwareItem> firmware;
  /// The first resource that could not be read (busy, no believable body), and why: what it would have listed is not
  /// known to be missing. A 404 is an answer. Empty: all was read.
  std::string incomplete;
};

}  // namespace zellige
