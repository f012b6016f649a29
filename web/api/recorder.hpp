// Writes exchanges down, so that a script can hold them against openapi.yaml: one JSON line each. Meant for tests: it
// does nothing unless ZELLIGE_RECORD_EXCHANGES names a file. Tokens and passwords are left out.
#pragma once

#include <string>
#include <string_view>

#include "controller/base/http_message.hpp"

namespace zellige::api {

class Recorder {
 public:
  Recorder();  ///< reads the environment
  explicit Recorder(std::string file) : file_(std::move(file)) {}

  void note(std::string_view operation, const HttpRequest& request, const HttpReply& reply) const;

 private:
  std::string file_;  // empty: records nothing
};

/// The line for one exchange, without the line end.
std::string exchangeLine(std::string_view operation, const HttpRequest& request, const HttpReply& reply);

}  // namespace zellige::api
