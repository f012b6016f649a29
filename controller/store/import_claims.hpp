// What a node of an import may have only if nobody else has it: its serial, its place, its BMC's MAC, its addresses.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "controller/model/catalog.hpp"
#include "controller/store/connection.hpp"

namespace zellige {

/// "10.20.0.10 port 443"
std::string endpointText(const BmcEndpoint& endpoint);

class ImportClaims {
 public:
  /// Conflict: another node of this import wants the same.
  Result<void> add(const ManifestNode& node);
  /// Conflict: a node has it that this import leaves as it is. What comes from a lease gives way. Call when all were added.
  Result<void> checkFree(Connection& db, const ManifestNode& node) const;

 private:
  Result<void> claim(std::string_view what, const std::string& value, const std::string& serial);
  /// Gives it up in this import, or has another one.
  bool isHere(const std::string& serial) const { return serials_.contains(serial); }

  std::unordered_map<std::string, std::string> claims_;  // "place: H1/R01/RK001/U10" → serial
  std::unordered_set<std::string> serials_;
};

}  // namespace zellige
