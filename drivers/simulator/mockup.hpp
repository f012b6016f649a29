// Serves a recorded Redfish tree: <directory>/<URI>/index.json, as DMTF's mockup server lays it out.
// Read-only: writes answer 405, but opening and closing a session is accepted and counted, with any
// credentials. $-queries are ignored. A custom.json {status, body} in place of index.json is answered as it
// says (error-403-samples).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "drivers/simulator/fleet.hpp"

namespace zellige::sim {

class Mockup {
 public:
  /// `directory` holds redfish/v1/index.json. Errc::NotFound if it does not.
  static Result<Mockup> open(const std::filesystem::path& directory);

  Delivery exchange(const Arrival& arrival);
  std::uint64_t sessionsOpened() const { return opened_; }
  std::uint64_t sessionsClosed() const { return closed_; }

 private:
  explicit Mockup(std::filesystem::path root) : root_(std::move(root)) {}
  /// The folder of a URI, inside the tree whatever the URI says; URIs of some machines mix case (FACTS 1).
  std::optional<std::filesystem::path> folderOf(std::string_view path) const;
  HttpReply get(std::string_view path) const;

  std::filesystem::path root_;
  std::uint64_t opened_ = 0, closed_ = 0;
};

}  // namespace zellige::sim
