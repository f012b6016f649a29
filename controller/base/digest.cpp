#include "controller/base/digest.hpp"

#include <fmt/format.h>
#include <fstream>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdexcept>
#include <vector>

namespace zellige {

// OpenSSL's SHA-256 uses the processor's instructions for it and is several times as fast as libsodium's.
struct Sha256::State {
  State() { begin(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  void begin() {
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // looked up once
    if (!context || EVP_DigestInit_ex2(context, sha256, nullptr) != 1)
      throw std::runtime_error("OpenSSL offers no SHA-256");
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> out{};
  EVP_DigestFinal_ex(state_->context, out.data(), nullptr);
  state_->begin();
  return toHex({reinterpret_cast<const char*>(out.data()), out.size()});
}

std::string sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

Result<std::string> sha256HexOfFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{Errc::NotFound, fmt::format("cannot open {}", file.string())};
  Sha256 hash;
  std::vector<char> block(1u << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    hash.add({block.data(), static_cast<std::size_t>(in.gcount())});
  if (in.bad()) return Error{Errc::Invalid, fmt::format("cannot read {}", file.string())};
  return hash.hex();
}

std::string toHex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  auto* next = out.data();
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    *next++ = digits[b >> 4];
    *next++ = digits[b & 15];
  }
  return out;
}

std::string toBase64(std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), data, bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.resize(out.size() - 1);  // the terminating NUL
  return out;
}

Result<std::string> fromBase64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(),
                        nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size())
    return Error{Errc::Invalid, "not base64"};
  out.resize(length);
  return out;
}

}  // namespace zellige
