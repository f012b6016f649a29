#include "web/api/recorder.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unistd.h>

#include "controller/base/json.hpp"

namespace zellige::api {

namespace {

constexpr std::size_t kMostBody = 256u << 10;
constexpr std::string_view kSecretMembers[] = {"password", "current", "token", "seed"};

void redact(Json& value) {
  if (value.is_object()) {
    for (auto& [name, member] : value.items()) {
      bool secret = false;
      for (const auto s : kSecretMembers) secret = secret || name == s;
      if (secret && member.is_string())
        member = "redacted text";  // as long as the shortest password, so that it fits the schema
      else
        redact(member);
    }
  } else if (value.is_array()) {
    for (auto& item : value) redact(item);
  }
}

/// JSON as a value, anything else as null: only its type and status are of interest.
Json bodyOf(std::string_view type, const std::string& body) {
  if (body.empty() || body.size() > kMostBody || type.find("json") == std::string_view::npos) return {};
  auto json = parseJson(body);
  if (!json) return {};
  redact(*json);
  return std::move(*json);
}

std::string withoutToken(std::string_view path) {
  constexpr std::string_view boot = "/boot/";
  if (!path.starts_with(boot)) return std::string(path);
  const auto end = path.find('/', boot.size());
  return std::string(boot) + "redacted" + (end == std::string_view::npos ? "" : std::string(path.substr(end)));
}

}  // namespace

std::string exchangeLine(std::string_view operation, const HttpRequest& request, const HttpReply& reply) {
  Json headers = Json::object();
  for (const auto& [name, value] : reply.headers) headers[name] = value;
  const std::string sent{request.headers.get("Content-Type")}, got{reply.headers.get("Content-Type")};
  return Json{{"method", request.method},
              {"path", withoutToken(request.path())},
              {"query", request.query()},
              {"operation", operation},
              {"request_type", sent},
              {"request", bodyOf(sent, request.body)},
              {"status", reply.status},
              {"headers", headers},
              {"response_type", got},
              {"response_bytes", reply.body.size()},
              {"response", bodyOf(got, reply.body)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Recorder::Recorder() {
  if (const char* file = std::getenv("ZELLIGE_RECORD_EXCHANGES")) file_ = file;
}

void Recorder::note(std::string_view operation, const HttpRequest& request, const HttpReply& reply) const {
  if (file_.empty()) return;
  const auto line = exchangeLine(operation, request, reply) + "\n";
  // One write with O_APPEND: test programs may share the file.
  const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  const bool written = fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (fd >= 0) ::close(fd);
  if (!written) throw std::runtime_error("cannot record exchanges in " + file_);
}

}  // namespace zellige::api
