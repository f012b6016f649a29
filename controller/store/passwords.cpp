#include <sodium.h>
#include <stdexcept>

#include "controller/base/digest.hpp"
#include "controller/store/records.hpp"

namespace zellige {

std::string hashPassword(const Secret& password) {
  char out[crypto_pwhash_STRBYTES];
  const auto& text = password.reveal();
  if (sodium_init() < 0 ||
      crypto_pwhash_str_alg(out, text.data(), text.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw std::runtime_error("cannot hash a password: 64 MiB of memory are needed");
  return out;
}

bool verifyPassword(std::string_view hash, const Secret& password) {
  if (sodium_init() < 0 || hash.empty() || hash.size() >= crypto_pwhash_STRBYTES) return false;
  const auto& text = password.reveal();
  return crypto_pwhash_str_verify(std::string(hash).c_str(), text.data(), text.size()) == 0;
}

std::string hashToken(const Secret& token) { return sha256Hex(token.reveal()); }

}  // namespace zellige
