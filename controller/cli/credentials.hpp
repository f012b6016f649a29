// Where the last sign-in is kept: ~/.config/zellige/credentials, for its owner's eyes alone.
#pragma once

#include <filesystem>
#include <string>

#include "controller/base/result.hpp"
#include "controller/base/secret.hpp"

namespace zellige::cli {

struct Credentials {
  std::string url;
  Secret token;
  std::string pin;  ///< of the server's key, as Peer::pin
};

std::filesystem::path credentialsFile(const std::filesystem::path& home);
/// Empty without a file. Invalid: others can read it, or it is damaged; says what to do.
Result<Credentials> loadCredentials(const std::filesystem::path& home);
Result<void> saveCredentials(const std::filesystem::path& home, const Credentials& credentials);

}  // namespace zellige::cli
