// SHA-256, over a buffer, a file or a growing stream; hex and base64.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "controller/base/result.hpp"

namespace zellige {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view bytes);
  /// Of what was added since the last time, as 64 lower-case hex digits; what is added next begins anew.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256Hex(std::string_view bytes);
Result<std::string> sha256HexOfFile(const std::filesystem::path& file);

std::string toHex(std::string_view bytes);
std::string toBase64(std::string_view bytes);
Result<std::string> fromBase64(std::string_view text);

}  // namespace zellige
