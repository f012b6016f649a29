#include "controller/store/import_claims.hpp"

#include <fmt/format.h>

namespace zellige {

std::string endpointText(const BmcEndpoint& endpoint) {
  return fmt::format("{} port {}", endpoint.address, endpoint.port);
}

Result<void> ImportClaims::claim(std::string_view what, const std::string& value, const std::string& serial) {
  const auto [it, fresh] = claims_.emplace(fmt::format("{}: {}", what, value), serial);
  if (fresh) return {};
  return Error{Errc::Conflict, fmt::format("{} and {} have the same {}", it->second, serial, it->first)};
}

Result<void> ImportClaims::add(const ManifestNode& node) {
  serials_.insert(node.serial);
  if (auto ok = claim("serial", node.serial, node.serial); !ok) return ok;
  if (auto ok = claim("place", node.place.path, node.serial); !ok) return ok;
  if (!node.bmc.mac.empty())
    if (auto ok = claim("BMC MAC", node.bmc.mac, node.serial); !ok) return ok;
  for (const auto* at : {&node.bmc, &node.os})
    if (!at->address.empty())
      if (auto ok = claim("BMC address", endpointText(*at), node.serial); !ok) return ok;
  return {};
}

Result<void> ImportClaims::checkFree(Connection& db, const ManifestNode& node) const {
  const auto holder = [&](std::string_view text, const auto&... values) {
    auto q = db.query(text);
    q.bind(values..., node.serial);
    return q.step() && !isHere(q.text(0)) ? q.text(0) : std::string{};
  };
  if (const auto other = holder(
          "SELECT serial FROM node WHERE place = ? AND serial <> ? AND lifecycle <> 'retired'",
          node.place.path);
      !other.empty())
    return Error{Errc::Conflict,
                 fmt::format("{} is to be at {}, but {} is there: retire it or give it another place",
                             node.serial, node.place.path, other)};
  const auto taken = [&](std::string_view what, const std::string& value, const std::string& other) -> Error {
    return {Errc::Conflict,
            fmt::format("{} is to have the {} {}, but {} has it: retire it or correct the manifest",
                        node.serial, what, value, other)};
  };
  if (const auto other = holder("SELECT serial FROM node WHERE bmc_mac = ? AND bmc_mac <> '' AND serial <> ? "
                                "AND lifecycle <> 'retired'",
                                node.bmc.mac);
      !other.empty())
    return taken("BMC MAC", node.bmc.mac, other);
  for (const auto* at : {&node.bmc, &node.os}) {
    if (at->address.empty()) continue;
    for (const auto* text : {"SELECT serial FROM node WHERE bmc_address = ? AND bmc_address <> '' AND "
                             "bmc_port = ? AND serial <> ? AND "
                             "bmc_leased = 0 AND lifecycle <> 'retired'",
                             "SELECT serial FROM node WHERE os_address = ? AND os_address <> '' AND os_port "
                             "= ? AND serial <> ? AND "
                             "lifecycle <> 'retired'"})
      if (const auto other = holder(text, at->address, at->port); !other.empty())
        return taken("BMC address", endpointText(*at), other);
  }
  return {};
}

}  // namespace zellige
