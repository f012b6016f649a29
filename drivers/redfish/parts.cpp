// The parts of a machine, collection by collection.
#include <algorithm>
#include <fmt/format.h>

#include "drivers/redfish/reading.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

bool alreadyListed(const std::vector<Component>& parts, const Component& part) {
  return !part.serial.empty() && std::any_of(parts.begin(), parts.end(), [&](const Component& other) {
    return other.kind == part.kind && other.serial == part.serial;
  });
}

std::optional<ComponentKind> processorKind(const View& processor) {
  const auto type = processor.trimmed("ProcessorType");
  if (type == "GPU") return ComponentKind::Gpu;
  if (type == "CPU" || type.empty()) return ComponentKind::Cpu;
  if (type == "Core" || type == "Thread") return std::nullopt;
  return ComponentKind::Other;
}

}  // namespace

Task<Result<void>> RedfishBmc::readProcessors(std::string uri, Reading& reading) {
  auto all = co_await client_.members(uri);
  if (!all) co_return all.error();
  reading.without(*all);
  const auto& p = platform();
  for (const auto& document : all->found) {
    const auto view = document.view();
    const auto kind = processorKind(view);
    if (!kind || (isAbsent(view) && !p.absentIsSick)) continue;
    auto part = readPart(view, *kind, p.absentIsSick);
    if (!p.partFirmwarePrefix.empty()) {
      const auto firmwareId = std::string(p.partFirmwarePrefix) + part.name;
      if (reading.sickFirmware.contains(firmwareId)) findSick(part, firmwareId + " is Absent or Critical");
    }
    if (p.processorHasOwnChassis) {
      const auto it = reading.sickChassis.find(uriKey(view.link("Links/Chassis")));
      if (it != reading.sickChassis.end())
        findSick(part, fmt::format("chassis {} is Critical or Absent", it->second));
    }
    if (*kind == ComponentKind::Gpu) {
      const bool all = p.gpuNeedsNvlink;  // elsewhere either will do: XCC tells no Model, others no serial
      if (part.model.empty() && (all || part.serial.empty())) findIncomplete(part, "no Model");
      if (part.serial.empty() && (all || part.model.empty())) findIncomplete(part, "no SerialNumber");
    }
    if (*kind == ComponentKind::Gpu && p.gpuNeedsNvlink) {
      std::size_t count = 0;
      if (const auto ports = view.link("Ports"); !ports.empty()) {
        auto links = co_await client_.links(ports);
        if (!links && !reading.without(ports, links.error())) co_return links.error();
        if (links) count = links->size();
      }
      if (count == 0) findIncomplete(part, "no NVLink ports");
    }
    if (!alreadyListed(reading.out.components, part)) reading.out.components.push_back(std::move(part));
  }
  for (const auto& missing : all->missing) {  // listed, and no answer
    Component part;
    part.name = lastSegment(missing.uri);
    part.kind = part.name.find("GPU") != std::string::npos ? ComponentKind::Gpu : ComponentKind::Cpu;
    findIncomplete(part, "listed, but it does not answer");
    reading.out.components.push_back(std::move(part));
  }
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::readMemory(std::string uri, Reading& reading) {
  auto all = co_await client_.members(uri, true);
  if (!all) co_return all.error();
  reading.without(*all);
  std::int64_t mib = 0;
  for (const auto& document : all->found) {
    const auto view = document.view();
    if (isAbsent(view)) continue;  // an empty slot
    mib += std::clamp<std::int64_t>(view.integer("CapacityMiB").value_or(0), 0, std::int64_t{1} << 32);
    reading.out.components.push_back(readPart(view, ComponentKind::Memory, false));
  }
  if (reading.out.memoryGiB == 0) reading.out.memoryGiB = mib / 1024;
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::readDrives(std::string uri, Reading& reading) {
  auto all = co_await client_.members(uri);
  if (!all) co_return all.error();
  reading.without(*all);
  for (const auto& document : all->found) {
    const auto view = document.view();
    if (isAbsent(view) || !reading.drivesSeen.insert(uriKey(document.uri)).second) continue;
    auto part = readPart(view, ComponentKind::Drive, false);
    if (part.serial.empty()) findIncomplete(part, "no SerialNumber");
    reading.out.components.push_back(std::move(part));
  }
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::readStorage(std::string uri, Reading& reading) {
  auto all = co_await client_.members(uri);
  if (!all) co_return all.error();
  reading.without(*all);
  for (const auto& storage : all->found)
    for (const auto& link : storage.view().links("Drives")) {
      if (!reading.drivesSeen.insert(uriKey(link)).second) continue;
      auto drive = co_await client_.get(link);
      if (!drive && !reading.without(link, drive.error())) co_return drive.error();
      if (!drive || isAbsent(drive->view())) continue;
      auto part = readPart(drive->view(), ComponentKind::Drive, false);
      if (part.serial.empty()) findIncomplete(part, "no SerialNumber");
      reading.out.components.push_back(std::move(part));
    }
  co_return Result<void>{};
}

// `inDpu`: the chassis is the DPU, and is listed already; its adapter is the same part.
Task<Result<void>> RedfishBmc::readNetworkAdapters(std::string uri, bool inDpu, Reading& reading) {
  auto all = co_await client_.members(uri);
  if (!all) co_return all.error();
  reading.without(*all);
  for (const auto& document : all->found) {
    const auto view = document.view();
    if (inDpu || isAbsent(view)) continue;
    auto part = readPart(view, ComponentKind::Nic, false);
    if (part.model.find("BlueField") != std::string::npos) part.kind = ComponentKind::Dpu;
    reading.out.components.push_back(std::move(part));
  }
  co_return Result<void>{};
}

// New machines have PowerSubsystem, old ones list the supplies inside Power (FACTS 9).
Task<Result<void>> RedfishBmc::readPowerSupplies(Document chassis, Reading& reading) {
  const auto add = [&reading](const View& supply) {
    if (isAbsent(supply)) return;
    auto part = readPart(supply, ComponentKind::Psu, false);
    if (const auto id = supply.trimmed("MemberId"); part.name.empty() || supply.trimmed("Id").empty())
      part.name = id;
    // A shelf with two chassis lists them twice.
    const auto& parts = reading.out.components;
    const bool twice = std::any_of(parts.begin(), parts.end(), [&](const Component& other) {
      return other.kind == part.kind && other.serial == part.serial && other.name == part.name;
    });
    if (!twice) reading.out.components.push_back(std::move(part));
  };
  if (const auto uri = chassis.view().link("PowerSubsystem"); !uri.empty()) {
    auto subsystem = co_await client_.get(uri);
    if (!subsystem && !reading.without(uri, subsystem.error())) co_return subsystem.error();
    std::string supplies;
    if (subsystem) supplies = subsystem->view().link("PowerSupplies");
    if (!supplies.empty()) {
      auto all = co_await client_.members(supplies);
      if (!all) co_return all.error();
      reading.without(*all);
      for (const auto& supply : all->found) add(supply.view());
      co_return Result<void>{};
    }
  }
  if (const auto uri = chassis.view().link("Power"); !uri.empty()) {
    auto power = co_await client_.get(uri);
    if (!power) co_return power.error();
    for (const auto& supply : power->view().list("PowerSupplies")) add(supply);
  }
  co_return Result<void>{};
}

Task<Result<void>> RedfishBmc::readManagers(Reading& reading) {
  auto all = co_await client_.members(known().managers);
  if (!all) co_return all.error();
  reading.without(*all);
  for (const auto& document : all->found)
    reading.out.components.push_back(readPart(document.view(), ComponentKind::Bmc, false));
  co_return Result<void>{};
}

}  // namespace zellige::redfish
