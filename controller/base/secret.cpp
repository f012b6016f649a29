#include "controller/base/secret.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/base/digest.hpp"
#include "controller/base/durable_file.hpp"

namespace zellige {

namespace {
const unsigned char* bytesOf(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytesOf(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }
}  // namespace

Result<SecretBox> SecretBox::read(const std::filesystem::path& keyFile) {
  if (sodium_init() < 0) return Error{Errc::Invalid, "libsodium could not start"};
  const int fd = ::open(keyFile.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Error{errno == ENOENT ? Errc::NotFound : Errc::Invalid,
                 fmt::format("cannot read the site key {}: {}", keyFile.string(), strerror(errno))};
  SecretBox box;
  struct stat info {};
  ::fstat(fd, &info);
  box.key_.resize(crypto_secretbox_KEYBYTES);
  const auto got = ::read(fd, box.key_.data(), box.key_.size());
  ::close(fd);
  if ((info.st_mode & 077) != 0)
    return Error{Errc::Invalid, fmt::format("the site key {} can be read by others; run: chmod 600 {}",
                                            keyFile.string(), keyFile.string())};
  if (got != static_cast<ssize_t>(box.key_.size()) || info.st_size != got)
    return Error{Errc::Invalid,
                 fmt::format("the site key {} is damaged; restore it from your backup: without it "
                             "no stored BMC password can be opened",
                             keyFile.string())};
  return box;
}

Result<SecretBox> SecretBox::make(const std::filesystem::path& keyFile) {
  if (sodium_init() < 0) return Error{Errc::Invalid, "libsodium could not start"};
  SecretBox box;
  box.key_.resize(crypto_secretbox_KEYBYTES);
  randombytes_buf(box.key_.data(), box.key_.size());
  if (auto written = writeDurably(keyFile, box.key_, 0600); !written) return written.error();
  return box;
}

SecretBox SecretBox::fromSeed(std::string_view seed) {
  SecretBox box;
  box.key_.resize(crypto_secretbox_KEYBYTES);
  crypto_generichash(bytesOf(box.key_), box.key_.size(), bytesOf(seed), seed.size(), nullptr, 0);
  box.deterministic_ = true;
  return box;
}

std::string SecretBox::seal(const Secret& secret) const {
  const auto& text = secret.reveal();
  std::string out(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size(), '\0');
  if (deterministic_)
    crypto_generichash(bytesOf(out), crypto_secretbox_NONCEBYTES, bytesOf(std::string_view(text)),
                       text.size(), bytesOf(std::string_view(key_)), key_.size());
  else
    randombytes_buf(out.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(bytesOf(out) + crypto_secretbox_NONCEBYTES, bytesOf(std::string_view(text)),
                        text.size(), bytesOf(std::string_view(out)), bytesOf(std::string_view(key_)));
  return toBase64(out);
}

Result<Secret> SecretBox::open(std::string_view sealed) const {
  auto raw = fromBase64(sealed);
  if (!raw || raw->size() < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
    return Error{Errc::Invalid, "a sealed secret is damaged"};
  const auto boxed = std::string_view(*raw).substr(crypto_secretbox_NONCEBYTES);
  std::string text(boxed.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(bytesOf(text), bytesOf(boxed), boxed.size(), bytesOf(std::string_view(*raw)),
                                 bytesOf(std::string_view(key_))) != 0)
    return Error{Errc::Invalid, "a sealed secret was sealed with another site key, or is damaged"};
  return Secret{std::move(text)};
}

std::string SecretBox::sign(std::string_view text) const {
  std::string out(32, '\0');
  crypto_generichash(bytesOf(out), out.size(), bytesOf(text), text.size(), bytesOf(std::string_view(key_)),
                     key_.size());
  return toHex(out);
}

std::string randomHex(std::size_t bytes) {
  std::string out(bytes, '\0');
  randombytes_buf(out.data(), out.size());
  return toHex(out);
}

bool sameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace zellige
