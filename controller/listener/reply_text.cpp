#include "controller/listener/reply_text.hpp"

#include <fmt/format.h>

namespace zellige::listener {

namespace {

std::string_view reasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

void appendClean(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

bool isOurs(std::string_view name) {
  return sameIgnoringCase(name, "Content-Length") || sameIgnoringCase(name, "Transfer-Encoding") ||
         sameIgnoringCase(name, "Connection");
}

}  // namespace

bool isBodiless(int status) { return status < 200 || status == 204 || status == 304; }

std::string headText(const HttpReply& reply, std::optional<std::uint64_t> length, bool close) {
  std::string out;
  out.reserve(256);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", reply.status, reasonOf(reply.status));
  for (const auto& [name, value] : reply.headers) {
    if (isOurs(name)) continue;
    appendClean(out, name);
    out += ": ";
    appendClean(out, value);
    out += "\r\n";
  }
  if (!length)
    out += "Transfer-Encoding: chunked\r\n";
  else if (!isBodiless(reply.status))
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *length);
  if (close) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

std::string chunkText(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 16);
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out += bytes;
  out += "\r\n";
  return out;
}

HttpReply refusal(int status) {
  HttpReply reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/problem+json");
  if (status == 401) reply.headers.add("WWW-Authenticate", "Bearer");
  reply.body = fmt::format(R"({{"type":"about:blank","title":"{}","status":{}}})", reasonOf(status), status);
  return reply;
}

}  // namespace zellige::listener
