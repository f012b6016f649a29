// Secrets: a string that cannot be printed or logged by accident, and the box that seals it for the database.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "controller/base/result.hpp"

namespace zellige {

/// A password or token. No operator<<, no fmt formatter, no JSON conversion: `reveal()` marks every use.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

/// Seals and opens secrets with the site key (XSalsa20-Poly1305, libsodium secretbox). The key lives beside the
/// database, never in it: a copied database alone opens nothing.
class SecretBox {
 public:
  /// Reads the key file (mode 0600). NotFound: it is not there. Invalid: it is not ours to use, with what to do.
  static Result<SecretBox> read(const std::filesystem::path& keyFile);
  /// Makes a new key in this file, durable when it returns. What an old key sealed cannot be opened with it.
  static Result<SecretBox> make(const std::filesystem::path& keyFile);
  /// A fixed key: simulation and tests, where a run must be repeatable.
  static SecretBox fromSeed(std::string_view seed);

  std::string seal(const Secret& secret) const;        ///< base64 of nonce and box
  Result<Secret> open(std::string_view sealed) const;  ///< Errc::Invalid: other key, or damaged
  /// A keyed digest (hex, 64 digits): tokens that a later, even empty, database can check again.
  std::string sign(std::string_view text) const;

 private:
  std::string key_;
  bool deterministic_ = false;  ///< nonce from the content: only with a seed
};

/// `bytes` random bytes from the operating system, as hex.
std::string randomHex(std::size_t bytes);
/// Compares without telling by time where they differ.
bool sameSecret(std::string_view a, std::string_view b);

}  // namespace zellige
