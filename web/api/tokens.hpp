// What boot media and agents show at the provisioning listener: "<serial>~<purpose>~<mac>". The mac is keyed with the
// site key, nothing is stored: with an empty database the token of a running system is still believed. Safe in a URL
// path, without '?' and '=', which some BMCs refuse in media URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/base/secret.hpp"
#include "controller/model/ids.hpp"

namespace zellige::api {

struct Bearer {
  std::string serial;
  std::string purpose;  ///< "boot-<run id>": while that run is unfinished; "os": while the node is not retired

  /// Of "boot-<run id>"; 0: not such a purpose.
  RunId bootRun() const;
};

std::string issueToken(const SecretBox& box, std::string_view serial, std::string_view purpose);
/// nullopt: not one of ours.
std::optional<Bearer> readToken(const SecretBox& box, std::string_view token);

}  // namespace zellige::api
