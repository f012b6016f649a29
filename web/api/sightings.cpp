// Devices that no manifest names, and the scans that look for them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/api/find.hpp"

namespace zellige::api {

namespace {

constexpr std::size_t kMostRanges = 64;

Json deviceShape(const Unlisted& device) {
  return {{"mac", textOrNull(device.lease.mac)},
          {"address", textOrNull(device.lease.address)},
          {"port", device.port},
          {"hostname", textOrNull(device.lease.hostname)},
          {"vendor_class", textOrNull(device.lease.vendorClass)},
          {"circuit", textOrNull(device.lease.circuit)},
          {"remote", textOrNull(device.lease.remote)},
          {"place_hint", textOrNull(device.lease.place)},
          {"uuid", textOrNull(device.root.uuid)},
          {"vendor", textOrNull(device.root.vendor)},
          {"product", textOrNull(device.root.product)},
          {"redfish_version", textOrNull(device.root.redfishVersion)},
          {"pin", textOrNull(device.root.pin)},
          {"answered", timeOrNull(device.answered)},
          {"first_seen", iso8601(device.firstSeen)},
          {"last_seen", iso8601(device.lastSeen)}};
}

Json scanShape(const ScanState& scan) {
  return {{"ranges", scan.ranges},
          {"port", scan.port},
          {"by", scan.by},
          {"begun", iso8601(scan.begun)},
          {"ended", timeOrNull(scan.ended)},
          {"stopped", scan.stopped},
          {"addresses", scan.addresses},
          {"asked", scan.asked},
          {"nodes", scan.nodes},
          {"answered", scan.answered}};
}

/// The ranges of the body; what is wrong with them is told to it.
std::vector<AddressRange> readRanges(Body& body, bool publicToo) {
  std::vector<AddressRange> out;
  const auto* list = body.array("ranges", kMostRanges);
  std::uint64_t addresses = 0;
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    const auto pointer = fmt::format("/ranges/{}", i);
    if (!(*list)[i].is_string()) {
      body.wrong(pointer, "must be text like 10.20.0.0/22");
      continue;
    }
    auto range = readRange((*list)[i].get_ref<const std::string&>());
    if (!range) {
      body.wrong(pointer, range.error().what);
      continue;
    }
    if (!range->isPrivate && !publicToo)
      body.wrong(pointer, "holds public addresses; set public to scan them all the same");
    addresses += range->count;
    out.push_back(std::move(*range));
  }
  if (list && list->empty()) body.wrong("/ranges", "must name at least one range");
  if (addresses > kMostScanned)
    body.wrong("/ranges", fmt::format("{} addresses; one scan asks at most {}", addresses, kMostScanned));
  return out;
}

HttpReply noScan() {
  return problem(ProblemKind::NotFound, "there is no scan; begin one with POST /api/v1/scan (zellige scan)");
}

}  // namespace

Task<HttpReply> listUnlisted(Services& services, Call call) {
  const auto limit = limitOf(call);
  if (!limit) co_return badParameter(limit.error().what);
  const auto before = cursorIn(call, "unlisted");
  if (!before) co_return badParameter(before.error().what);
  const auto found = services.queries.unlisted(*before, static_cast<int>(*limit));
  Json devices = Json::array();
  for (const auto& device : found.devices) devices.push_back(deviceShape(device));
  auto next = cursorOf("unlisted", found.next);
  co_return jsonReply(200,
                      {{"devices", std::move(devices)}, {"next", textOrNull(next)}, {"total", found.total}});
}

Task<HttpReply> getScan(Services& services, Call) {
  const auto* scanning = services.options.scanning;
  const auto state = scanning ? scanning->state() : std::nullopt;
  co_return state ? jsonReply(200, scanShape(*state)) : noScan();
}

Task<HttpReply> startScan(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Operator, Place{})) co_return std::move(*refused);
  Body body(call);
  ScanRequest request;
  request.ranges = readRanges(body, body.flag("public", false));
  request.port = static_cast<int>(body.whole("port", 443, 1, 65'535));
  request.by = {call.who.user, body.reason()};
  if (auto refused = body.refused()) co_return std::move(*refused);
  auto* scanning = services.options.scanning;
  if (!scanning) co_return problem(ProblemKind::Conflict, "this controller scans nothing");
  const auto begun = co_await scanning->begin(std::move(request));
  if (!begun) co_return problem(begun.error());
  co_return jsonReply(202, scanShape(*scanning->state()));
}

Task<HttpReply> stopScan(Services& services, Call call) {
  if (auto refused = refuseUnless(call, Level::Operator, Place{})) co_return std::move(*refused);
  auto* scanning = services.options.scanning;
  if (!scanning || !scanning->stop()) co_return noScan();
  co_return emptyReply(204);
}

}  // namespace zellige::api
