#include "controller/listener/request_reader.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace zellige::listener {

namespace http = boost::beast::http;

struct RequestReader::Parser : http::request_parser<http::string_body> {};

namespace {

std::string textOf(boost::beast::string_view v) { return {v.data(), v.size()}; }

// A chunk header or trailer that goes on for ever makes no progress; nothing sound is longer.
constexpr std::size_t kMaxUnusedBytes = 16u << 10;

}  // namespace

RequestReader::RequestReader(const ListenerOptions& options)
    : options_(options), parser_(std::make_unique<Parser>()) {
  parser_->eager(false);  // stops behind the head: nothing of a body is kept before the head is judged
  parser_->header_limit(static_cast<std::uint32_t>(options.maxHeaderBytes));
  parser_->body_limit(options.maxBodyBytes);
}
RequestReader::~RequestReader() = default;

RequestReader::Progress RequestReader::refuse(int status) {
  refusal_ = status;
  return Progress::Refused;
}

bool RequestReader::headIsSound() const {
  const auto& head = parser_->get();
  if (head.count(http::field::host) != 1 || head.count(http::field::content_length) > 1) return false;
  // Beast takes "1, 1" for 1.
  const auto length = head[http::field::content_length];
  if (!std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  const auto encodings = head.count(http::field::transfer_encoding);
  if (encodings > 1 || (encodings == 1 && head.count(http::field::content_length) == 1)) return false;
  if (encodings == 1 && !boost::beast::iequals(head[http::field::transfer_encoding], "chunked")) return false;
  const auto target = head.target();
  return target.starts_with('/') || (target == "*" && head.method() == http::verb::options);
}

RequestReader::Progress RequestReader::checkHead() {
  headChecked_ = true;
  if (parser_->get().version() != 11) return refuse(505);
  if (!headIsSound()) return refuse(400);
  parser_->eager(true);
  const auto length = parser_->content_length();
  if (!parser_->chunked() && length.value_or(0) == 0) return Progress::NeedMore;
  if (options_.allowBody) {
    const auto allowed = options_.allowBody(head());
    bodyRefusal_ = allowed.otherwise;
    const auto most = std::min(allowed.bytes, options_.maxBodyBytes);
    if (length && *length > most) return refuse(bodyRefusal_);
    parser_->body_limit(most);
  }
  continueAsked_ = boost::beast::iequals(parser_->get()[http::field::expect], "100-continue");
  return Progress::NeedMore;
}

RequestReader::Progress RequestReader::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  while (used < bytes.size() && !parser_->is_done()) {
    boost::beast::error_code ec;
    const auto taken = parser_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), ec);
    used += taken;
    if (ec == http::error::need_more) break;
    if (ec == http::error::body_limit) return refuse(bodyRefusal_);
    if (ec == http::error::header_limit) return refuse(431);
    if (ec) return refuse(400);
    if (parser_->is_header_done() && !headChecked_) {
      if (checkHead() == Progress::Refused) return Progress::Refused;
      continue;
    }
    if (taken == 0) break;
  }
  if (parser_->is_done()) return Progress::Complete;
  if (parser_->is_header_done() && bytes.size() - used > kMaxUnusedBytes) return refuse(400);
  return Progress::NeedMore;
}

bool RequestReader::headDone() const { return parser_->is_header_done(); }
bool RequestReader::takeContinue() { return std::exchange(continueAsked_, false); }
bool RequestReader::keepAlive() const { return parser_->keep_alive(); }

HttpRequest RequestReader::head() const {
  const auto& message = parser_->get();
  HttpRequest request;
  request.method = textOf(message.method_string());
  request.target = textOf(message.target());
  for (const auto& field : message) request.headers.add(textOf(field.name_string()), textOf(field.value()));
  return request;
}

HttpRequest RequestReader::take() {
  auto request = head();
  request.body = std::move(parser_->get().body());
  return request;
}

}  // namespace zellige::listener
