#include "controller/cli/credentials.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/base/json.hpp"

namespace zellige::cli {

std::filesystem::path credentialsFile(const std::filesystem::path& home) {
  return home / ".config" / "zellige" / "credentials";
}

Result<Credentials> loadCredentials(const std::filesystem::path& home) {
  const auto file = credentialsFile(home);
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return Credentials{};
  if ((info.st_mode & 077) != 0)
    return Error{Errc::Invalid, fmt::format("{0} can be read by others; run: chmod 600 {0}", file.string())};
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = parseJson(text, {.bytes = 16u << 10, .depth = 2, .values = 20});
  if (!json)
    return Error{Errc::Invalid,
                 fmt::format("{} is damaged; sign in again with: zellige login", file.string())};
  return Credentials{readString(*json, "url").value_or(""), Secret{readString(*json, "token").value_or("")},
                     readString(*json, "pin").value_or("")};
}

Result<void> saveCredentials(const std::filesystem::path& home, const Credentials& credentials) {
  const auto file = credentialsFile(home);
  const auto fresh = file.string() + ".new";
  const auto fail = [&] {
    return Error{Errc::Invalid, fmt::format("cannot write {}: {}", file.string(), strerror(errno))};
  };
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail();
  const auto text =
      Json{{"url", credentials.url}, {"token", credentials.token.reveal()}, {"pin", credentials.pin}}.dump(2) +
      "\n";
  const bool written = ::fchmod(fd, 0600) == 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) return fail();
  return {};
}

}  // namespace zellige::cli
