// What one reading of the whole inventory gathers on its way, and how parts are told (inventory.cpp, parts.cpp).
#pragma once

#include <map>
#include <set>
#include <string>

#include "drivers/redfish/redfish_bmc.hpp"

namespace zellige::redfish {

struct RedfishBmc::Reading {
  Inventory out;
  std::string systemSerial, systemModel, systemMaker;
  std::string chassisSerial, chassisModel,
      chassisMaker;  ///< of the platform's serialChassis, else the first that has one
  bool chassisIsTheOne = false;
  std::set<std::string> sickFirmware;              ///< ids that are Absent or Critical
  std::map<std::string, std::string> sickChassis;  ///< by uriKey: the id of a chassis that is Critical
  std::set<std::string> drivesSeen;                ///< by uriKey

  /// Whether reading can go on without `uri`, which answered with `why`. What it leaves unknown is noted in `out`.
  bool without(std::string_view uri, const Error& why);
  /// The same for members that did not answer.
  void without(const Members& members);
};

/// A property's text, or empty where the machine says that it does not know ("N/A", "NA", "Unknown", …).
std::string meaningful(const View& resource, std::string_view path);

/// What every part has: id, serial, model, part number, health. `absentIsSick`: see Platform.
Component readPart(const View& resource, ComponentKind kind, bool absentIsSick);
bool isAbsent(const View& resource);
void findSick(Component& part, std::string_view why);
void findIncomplete(Component& part, std::string_view why);

}  // namespace zellige::redfish
