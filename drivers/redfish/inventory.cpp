// The whole inventory: firmware first, then chassis, because both say things about the parts that come after.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "controller/base/http_message.hpp"
#include "drivers/redfish/reading.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

// What firmware writes where it was told nothing.
constexpr std::array<std::string_view, 9> placeholders{"N/A",
                                                       "NA",
                                                       "None",
                                                       "Unknown",
                                                       "Not Available",
                                                       "Not Specified",
                                                       "NULL",
                                                       "Default string",
                                                       "To be filled by O.E.M."};

void addReason(std::string& why, std::string_view reason) {
  if (!why.empty()) why += "; ";
  why += reason;
}

}  // namespace

std::string meaningful(const View& resource, std::string_view path) {
  auto text = resource.trimmed(path);
  for (const auto placeholder : placeholders)
    if (sameIgnoringCase(text, placeholder)) return {};
  return text;
}

bool isAbsent(const View& resource) { return resource.trimmed("Status/State") == "Absent"; }

void findSick(Component& part, std::string_view why) {
  part.sick = true;
  addReason(part.why, why);
}

void findIncomplete(Component& part, std::string_view why) {
  part.complete = false;
  addReason(part.why, why);
}

Component readPart(const View& resource, ComponentKind kind, bool absentIsSick) {
  Component part;
  part.kind = kind;
  part.name = resource.trimmed("Id");
  if (part.name.empty()) part.name = lastSegment(resource.uri());
  part.serial = meaningful(resource, "SerialNumber");
  part.model = meaningful(resource, "Model");
  part.part = meaningful(resource, "PartNumber");
  if (resource.trimmed("Status/Health") == "Critical") findSick(part, "Health Critical");
  if (absentIsSick && isAbsent(resource)) findSick(part, "State Absent");
  return part;
}

bool RedfishBmc::Reading::without(std::string_view uri, const Error& why) {
  if (!concernsTheResourceOnly(why)) return false;
  if (isNotThere(why) || !out.incomplete.empty()) return true;
  const bool named = why.what.find(uri) != std::string::npos;
  out.incomplete = named ? why.what : fmt::format("{}: {}", uri, why.what);
  return true;
}

void RedfishBmc::Reading::without(const Members& members) {
  for (const auto& [uri, why] : members.missing) (void)without(uri, why);
}

Task<Result<void>> RedfishBmc::readFirmware(Reading& reading) {
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  if (known().firmwareInventory.empty()) {
    auto service = co_await client_.get(known().updateService);
    if (!service) co_return service.error();
    learn([&](Known& k) { k.firmwareInventory = service->view().link("FirmwareInventory"); });
    if (known().firmwareInventory.empty())
      co_return Error{Errc::Unsupported, "the update service names no FirmwareInventory"};
  }
  auto items = co_await client_.members(known().firmwareInventory, true);
  if (!items) co_return items.error();
  for (const auto& document : items->found) {
    const auto view = document.view();
    FirmwareItem item;
    item.id = view.trimmed("Id");
    if (item.id.empty()) item.id = lastSegment(document.uri);
    item.version = view.trimmed("Version");
    item.updateable = view.flag("Updateable").value_or(false);
    item.absent = isAbsent(view);
    if (item.absent || view.trimmed("Status/Health") == "Critical") reading.sickFirmware.insert(item.id);
    reading.out.firmware.push_back(std::move(item));
  }
  for (const auto& [uri, why] : items->missing)
    reading.out.firmware.push_back({.id = std::string(lastSegment(uri)),
                                    .version = {},
                                    .absent = why.code == Errc::NotFound,
                                    .unread = true});
  reading.without(*items);
  co_return Result<void>{};
}

Task<Result<std::vector<FirmwareItem>>> RedfishBmc::firmware() {
  Reading reading;
  auto read = co_await readFirmware(reading);
  if (!read) co_return read.error();
  co_return std::move(reading.out.firmware);
}

Task<Result<void>> RedfishBmc::readChassis(Reading& reading) {
  auto all = co_await client_.members(known().chassis, true);
  if (!all) co_return all.error();
  reading.without(*all);
  const auto& p = platform();
  for (auto& document : all->found) {
    const auto view = document.view();
    auto part = readPart(view, ComponentKind::Board, p.absentIsSick);
    for (const auto& [fragment, kind] : p.chassisKinds)
      if (part.name.find(fragment) != std::string::npos) {
        part.kind = kind;
        break;
      }
    const bool theOne = part.name == p.serialChassis;
    if (theOne || (!reading.chassisIsTheOne && reading.chassisSerial.empty())) {
      reading.chassisIsTheOne = theOne;
      reading.chassisSerial = part.serial;
      reading.chassisModel = part.model;
      reading.chassisMaker = meaningful(view, "Manufacturer");
    }
    if (part.sick) reading.sickChassis[uriKey(document.uri)] = part.name;
    const bool dpu = part.kind == ComponentKind::Dpu;
    if (dpu && part.serial.empty()) findIncomplete(part, "no SerialNumber");
    // A board without a serial is a place to hang things in, not a part.
    if (part.kind != ComponentKind::Board || !part.serial.empty())
      reading.out.components.push_back(std::move(part));

    if (const auto uri = view.link("NetworkAdapters"); !uri.empty()) {
      auto read = co_await readNetworkAdapters(uri, dpu, reading);
      if (!read && !reading.without(uri, read.error())) co_return read.error();
    }
    if (const auto uri = view.link("Drives"); p.drives == DrivesIn::Chassis && !uri.empty()) {
      auto read = co_await readDrives(uri, reading);
      if (!read && !reading.without(uri, read.error())) co_return read.error();
    }
    if (p.powerSupplies == PowerSuppliesIn::Chassis) {
      auto read = co_await readPowerSupplies(document, reading);
      if (!read && !reading.without(document.uri, read.error())) co_return read.error();
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::readSystem(std::string uri, bool host, Reading& reading) {
  auto document = co_await client_.get(uri);
  if (!document) co_return document.error();
  const auto view = document->view();
  if (host) {
    reading.systemSerial = meaningful(view, "SerialNumber");
    reading.systemModel = meaningful(view, "Model");
    reading.systemMaker = meaningful(view, "Manufacturer");
    reading.out.memoryGiB = view.integer("MemorySummary/TotalSystemMemoryGiB").value_or(0);
    if (const auto memory = view.link("Memory"); !memory.empty()) {
      auto read = co_await readMemory(memory, reading);
      if (!read && !reading.without(memory, read.error())) co_return read.error();
    }
  }
  const bool baseboard = lastSegment(uri) == platform().baseboardSystem;
  if (const auto processors = view.link("Processors");
      !processors.empty() && (baseboard || !platform().processorsOfBaseboardOnly)) {
    auto read = co_await readProcessors(processors, reading);
    if (!read && !reading.without(processors, read.error())) co_return read.error();
  } else if (baseboard && processors.empty() && reading.out.incomplete.empty()) {
    reading.out.incomplete = uri + ": listed with bare properties";  // not there yet (FACTS 9)
  }
  if (const auto storage = view.link("Storage"); platform().drives == DrivesIn::Storage && !storage.empty()) {
    auto read = co_await readStorage(storage, reading);
    if (!read && !reading.without(storage, read.error())) co_return read.error();
  }
  co_return Result<void>{};
}

namespace {

// A GPU or CPU that is also listed as a chassis is one part.
void dropChassisOfProcessors(std::vector<Component>& parts) {
  std::set<std::string> processors;
  for (const auto& part : parts)
    if (part.kind == ComponentKind::Cpu || part.kind == ComponentKind::Gpu) processors.insert(part.serial);
  std::erase_if(parts, [&](const Component& part) {
    return part.kind == ComponentKind::Board && processors.contains(part.serial);
  });
}

}  // namespace

Task<Result<Inventory>> RedfishBmc::inventory() {
  Reading reading;
  const Client::ReadLimit limit(client_);
  auto done = co_await readSystems();
  if (!done) co_return done.error();  // without these nothing can be told from anything
  if (known().systems.empty() && known().chassis.empty())
    co_return Error{Errc::BadReply, "the service root names neither Systems nor Chassis"};
  done = co_await readFirmware(reading);
  if (!done && !reading.without(known().firmwareInventory, done.error())) co_return done.error();
  if (!known().chassis.empty()) {
    done = co_await readChassis(reading);
    if (!done && !reading.without(known().chassis, done.error())) co_return done.error();
  }
  auto host = co_await hostUri();
  if (!host && !reading.without(known().systems, host.error())) co_return host.error();
  auto baseboard = co_await baseboardUri();  // looks again for it, should it have been away
  if (!baseboard && !reading.without(known().systems, baseboard.error())) co_return baseboard.error();
  const auto systems = known().systemLinks;
  for (const auto& uri : systems) {
    done = co_await readSystem(uri, host && uri == *host, reading);
    if (!done && !reading.without(uri, done.error())) co_return done.error();
  }
  if (platform().bmcs == BmcListedFrom::Managers && !known().managers.empty()) {
    done = co_await readManagers(reading);
    if (!done && !reading.without(known().managers, done.error())) co_return done.error();
  }
  auto& out = reading.out;
  const bool byChassis = reading.chassisIsTheOne || reading.systemSerial.empty();
  out.serial = byChassis ? reading.chassisSerial : reading.systemSerial;
  out.model = byChassis || reading.systemModel.empty() ? reading.chassisModel : reading.systemModel;
  out.manufacturer = byChassis || reading.systemMaker.empty() ? reading.chassisMaker : reading.systemMaker;
  dropChassisOfProcessors(out.components);
  co_return std::move(out);
}

}  // namespace zellige::redfish
