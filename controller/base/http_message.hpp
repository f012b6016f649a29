// An HTTP request and its reply as plain values: what the Redfish client sends, what our own API handlers and the
// simulator's machines receive. No transport knows more than this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zellige {

/// Header names compare without case. Order is kept; duplicates are allowed.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  /// The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, as sent
  Headers headers;
  std::string body;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const;  ///< after the '?', undecoded
};

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;
};

bool sameIgnoringCase(std::string_view a, std::string_view b);

}  // namespace zellige
