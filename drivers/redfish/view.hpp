// How resources are read: leniently (missing, null and wrong-typed are the same: not told), and through one place, so
// that a test can learn which properties of which resources the client depends on (ReadLog) and hold recorded and
// simulated machines against the list.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/json.hpp"

namespace zellige::redfish {

/// Learns every property that is read. For tests; nothing is noted where no log is given.
class ReadLog {
 public:
  virtual ~ReadLog() = default;
  /// `type` is "Processor" of "#Processor.v1_20_0.Processor"; `path` uses '/' and "[]" for an element of a list;
  /// `found` is null where the resource does not have it.
  virtual void noteRead(std::string_view uri, std::string_view type, std::string_view path,
                        const Json* found) = 0;
};

/// A resource, or an object inside one. Valid while its Document lives.
class View {
 public:
  View(const Json& resource, ReadLog* log) : here_(&resource), resource_(&resource), log_(log) {}

  bool has(std::string_view path) const { return look(path) != nullptr; }
  std::optional<std::string> text(std::string_view path) const;
  /// Without surrounding blanks and NULs (serials have them: FACTS 1); empty when not told.
  std::string trimmed(std::string_view path) const;  ///< at most 256 bytes
  std::optional<std::int64_t> integer(std::string_view path) const;
  std::optional<bool> flag(std::string_view path) const;
  std::vector<std::string> texts(std::string_view path) const;
  /// Elements that are objects; a single object in place of a list is a list of one (FACTS 7).
  std::vector<View> list(std::string_view path) const;
  View inside(std::string_view path) const;

  /// The URI under `path`: {"@odata.id": "…"} or a bare string. Empty: none that could be asked for.
  std::string link(std::string_view path) const;
  std::vector<std::string> links(std::string_view path) const;

  std::string uri() const;
  /// "Processor" of "#Processor.v1_20_0.Processor"; empty when not told.
  std::string type() const;

 private:
  View(const View& outer, const Json& here, std::string_view step);
  const Json* look(std::string_view path) const;

  const Json* here_;
  const Json* resource_;
  std::string prefix_;  ///< of `here_` in the resource; kept only for the log
  ReadLog* log_;
};

}  // namespace zellige::redfish
