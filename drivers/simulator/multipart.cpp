#include "drivers/simulator/multipart.hpp"

#include <fmt/format.h>

#include "controller/base/http_message.hpp"

namespace zellige::sim {

namespace {

constexpr std::size_t kMaxParts = 8, kMaxHeaders = 8u << 10, kMaxBoundary = 70;

Error badMultipart(std::string_view why) {
  return Error{Errc::Invalid, fmt::format("multipart body: {}", why)};
}

// The value of `key` in "form-data; name=\"a\"; filename=b".
std::string parameter(std::string_view header, std::string_view key) {
  while (!header.empty()) {
    const auto cut = header.find(';');
    auto field = header.substr(0, cut);
    header = cut == std::string_view::npos ? std::string_view{} : header.substr(cut + 1);
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    const auto equals = field.find('=');
    if (equals == std::string_view::npos || !sameIgnoringCase(field.substr(0, equals), key)) continue;
    auto value = field.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

void readHeaders(std::string_view headers, FormPart& part) {
  while (!headers.empty()) {
    const auto cut = headers.find("\r\n");
    const auto line = headers.substr(0, cut);
    headers = cut == std::string_view::npos ? std::string_view{} : headers.substr(cut + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !sameIgnoringCase(line.substr(0, colon), "Content-Disposition"))
      continue;
    part.name = parameter(line.substr(colon + 1), "name");
    part.fileName = parameter(line.substr(colon + 1), "filename");
  }
}

}  // namespace

Result<std::vector<FormPart>> readForm(std::string_view contentType, std::string_view body) {
  constexpr std::string_view kType = "multipart/form-data";
  if (contentType.size() < kType.size() || !sameIgnoringCase(contentType.substr(0, kType.size()), kType))
    return badMultipart("Content-Type is not multipart/form-data");
  const auto boundary = parameter(contentType, "boundary");
  if (boundary.empty() || boundary.size() > kMaxBoundary) return badMultipart("no usable boundary");
  const auto line = "--" + boundary;
  const auto between = "\r\n" + line;
  if (!body.starts_with(line)) return badMultipart("does not begin with its boundary");
  body.remove_prefix(line.size());
  std::vector<FormPart> parts;
  while (body.starts_with("\r\n")) {
    if (parts.size() == kMaxParts) return badMultipart("too many parts");
    body.remove_prefix(2);
    const auto headersEnd = body.substr(0, kMaxHeaders).find("\r\n\r\n");
    if (headersEnd == std::string_view::npos) return badMultipart("part headers are too long or never end");
    FormPart part;
    readHeaders(body.substr(0, headersEnd), part);
    body.remove_prefix(headersEnd + 4);
    const auto end = body.find(between);
    if (end == std::string_view::npos) return badMultipart("cut short");
    part.body = body.substr(0, end);
    parts.push_back(std::move(part));
    body.remove_prefix(end + between.size());
  }
  if (!body.starts_with("--")) return badMultipart("cut short");
  return parts;
}

}  // namespace zellige::sim
