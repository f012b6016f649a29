#include "drivers/http/curl_exchange.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "controller/base/digest.hpp"
#include "drivers/http/tls_pin.hpp"

namespace zellige::http {

namespace {

constexpr std::size_t kMaxHeaderBytes = 64u << 10;

bool isV6(const std::string& address) { return address.find(':') != std::string::npos; }

bool isNumeric(const std::string& address) {
  unsigned char out[sizeof(in6_addr)];
  return inet_pton(isV6(address) ? AF_INET6 : AF_INET, address.c_str(), out) == 1;
}

bool isToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

bool isTarget(std::string_view target) {
  return target.starts_with('/') &&
         std::all_of(target.begin(), target.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool isHostName(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; });
}

std::string hostPart(const std::string& address) { return isV6(address) ? "[" + address + "]" : address; }

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  // Fails only for an option that this libcurl was built without: the program is wrong then.
  if (const auto rc = curl_easy_setopt(easy, option, value); rc != CURLE_OK)
    throw std::runtime_error(
        fmt::format("libcurl option {}: {}", static_cast<int>(option), curl_easy_strerror(rc)));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

}  // namespace

Result<void> checkRequest(const Peer& peer, const HttpRequest& request, const SendOptions& options,
                          bool allowPlain) {
  const auto bad = [&](std::string_view why) {
    return Error{Errc::Invalid, fmt::format("request to {}: {}", peer.address, why)};
  };
  if (!isNumeric(peer.address) || peer.port == 0) return bad("not a numeric address and port");
  if (!peer.tls && !allowPlain) return bad("plain HTTP is not allowed");
  if (!isHostName(peer.serverName)) return bad("not a server name");
  if (!peer.pin.empty()) {
    // Anything else libcurl would take for the name of a file.
    const auto digest = fromBase64(peer.pin);
    if (!digest || digest->size() != 32) return bad("the pin is not a SHA-256 in base64");
  }
  if (options.upload && hasControl(options.upload->fileName))
    return bad("file name with forbidden characters");
  if (!isToken(request.method)) return bad("not a method");
  if (!isTarget(request.target)) return bad("not a path");
  for (const auto& [name, value] : request.headers)
    if (!isToken(name) || hasControl(value)) return bad("header with forbidden characters");
  const bool read = request.method == "GET" || request.method == "HEAD";
  if (read && (!request.body.empty() || options.upload)) return bad("a GET carries no body");
  return {};
}

CurlExchange::CurlExchange(Peer peer, HttpRequest request, SendOptions options)
    : peer_(std::move(peer)), request_(std::move(request)), options_(std::move(options)) {
  static_assert(sizeof errorText_ >= CURL_ERROR_SIZE);
}

CurlExchange::~CurlExchange() {
  curl_slist_free_all(headers_);
  curl_slist_free_all(connectTo_);
}

void CurlExchange::prepareHandle(void* easy) {
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROXY, "");  // whatever the environment says
  set(easy, CURLOPT_NOPROXY, "*");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);  // addresses are numeric: nothing worth keeping
  set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_CA_CACHE_TIMEOUT,
      60L);  // seconds until a changed CA file is noticed; libcurl's default is a day
  set(easy, CURLOPT_WRITEFUNCTION, &CurlExchange::onBody);
  set(easy, CURLOPT_HEADERFUNCTION, &CurlExchange::onHeader);
  set(easy, CURLOPT_PREREQFUNCTION, &CurlExchange::onConnected);
}

Result<void> CurlExchange::applyTo(void* easy) {
  easy_ = easy;
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_PREREQDATA, this);
  set(easy, CURLOPT_ERRORBUFFER, errorText_);
  set(easy, CURLOPT_PROTOCOLS_STR, peer_.tls ? "https" : "http");
  const auto& host = peer_.serverName.empty() ? hostPart(peer_.address) : peer_.serverName;
  const auto url = fmt::format("{}://{}:{}{}", peer_.tls ? "https" : "http", host, peer_.port,
                               request_.target);
  set(easy, CURLOPT_URL, url.c_str());
  if (!peer_.serverName.empty())
    connectTo_ = curl_slist_append(nullptr,
                                   fmt::format("::{}:{}", hostPart(peer_.address), peer_.port).c_str());
  set(easy, CURLOPT_CONNECT_TO, connectTo_);
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connectTimeout.count()));
  // libcurl re-sends a request on its own only after a *reused* connection turned out dead; it has no switch for that.
  // So what must not arrive twice gets a connection of its own.
  set(easy, CURLOPT_FRESH_CONNECT, isRead() ? 0L : 1L);
  set(easy, CURLOPT_FORBID_REUSE, isRead() ? 0L : 1L);
  applyTls(easy);
  applyMethod(easy);
  for (const auto& [name, value] : request_.headers) {
    if (options_.upload && sameIgnoringCase(name, "Content-Type"))
      continue;  // names the boundary, which is libcurl's
    if (sameIgnoringCase(name, "Content-Length") || sameIgnoringCase(name, "Transfer-Encoding")) continue;
    // "Name;" is how libcurl spells a header without a value.
    const auto line = value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  if (!request_.headers.has("Accept-Encoding"))
    headers_ = curl_slist_append(headers_, "Accept-Encoding: identity");
  if (!isRead())
    headers_ = curl_slist_append(headers_, "Expect:");  // no 100-continue: some BMCs never answer it
  if (options_.upload && options_.upload->parameters.empty())
    headers_ = curl_slist_append(headers_, "Content-Type: application/octet-stream");
  if (!isRead() && !options_.upload && !request_.headers.has("Content-Type"))
    headers_ = curl_slist_append(headers_, "Content-Type:");  // else libcurl would say x-www-form-urlencoded
  set(easy, CURLOPT_HTTPHEADER, headers_);
  return options_.upload ? applyUpload(easy) : Result<void>{};
}

void CurlExchange::applyTls(void* easy) {
  const bool ca = !peer_.caFile.empty();
  set(easy, CURLOPT_SSL_VERIFYPEER, ca ? 1L : 0L);
  set(easy, CURLOPT_SSL_VERIFYHOST, ca && !peer_.serverName.empty() ? 2L : 0L);
  set<const char*>(easy, CURLOPT_CAINFO, ca ? peer_.caFile.c_str() : nullptr);
  set<const char*>(easy, CURLOPT_CAPATH, nullptr);
  const auto pin = "sha256//" + peer_.pin;
  set<const char*>(easy, CURLOPT_PINNEDPUBLICKEY, peer_.pin.empty() ? nullptr : pin.c_str());
}

void CurlExchange::applyMethod(void* easy) {
  // In this order: HTTPGET takes back what MIMEPOST, POST and NOBODY of an earlier exchange did.
  set(easy, CURLOPT_HTTPGET, 1L);
  set(easy, CURLOPT_NOBODY, request_.method == "HEAD" ? 1L : 0L);
  set<const char*>(easy, CURLOPT_CUSTOMREQUEST, isRead() ? nullptr : request_.method.c_str());
  if (isRead() || options_.upload || (request_.body.empty() && request_.method == "DELETE")) return;
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(easy, CURLOPT_POSTFIELDS, request_.body.c_str());
}

Result<void> CurlExchange::applyUpload(void* easy) {
  const auto& upload = *options_.upload;
  std::error_code ec;
  if (!std::filesystem::is_regular_file(upload.file, ec))
    return Error{Errc::Invalid, fmt::format("{} is not a file", upload.file.string())};
  if (upload.parameters.empty()) return applyPlainUpload(easy);
  auto* mime = curl_mime_init(easy);
  mime_ = mime;
  auto* parameters = curl_mime_addpart(mime);
  curl_mime_name(parameters, "UpdateParameters");
  curl_mime_type(parameters, "application/json");
  curl_mime_data(parameters, upload.parameters.data(), upload.parameters.size());
  auto* file = curl_mime_addpart(mime);
  curl_mime_name(file, "UpdateFile");
  curl_mime_type(file, "application/octet-stream");
  if (curl_mime_filedata(file, upload.file.c_str()) != CURLE_OK)
    return Error{Errc::Invalid, fmt::format("cannot read {}", upload.file.string())};
  curl_mime_filename(file, upload.fileName.c_str());
  set(easy, CURLOPT_MIMEPOST, mime);
  return {};
}

Result<void> CurlExchange::applyPlainUpload(void* easy) {
  const auto& path = options_.upload->file;
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (failed || !file_) return Error{Errc::Invalid, fmt::format("cannot read {}", path.string())};
  set(easy, CURLOPT_POST, 1L);
  set<const char*>(easy, CURLOPT_POSTFIELDS, nullptr);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
  set<std::FILE*>(easy, CURLOPT_READDATA, file_.get());  // read by libcurl's own fread
  return {};
}

void CurlExchange::detach(void* easy) {
  if (file_) set<std::FILE*>(easy, CURLOPT_READDATA, stdin);  // libcurl's default
  file_.reset();
  set<curl_slist*>(easy, CURLOPT_HTTPHEADER, nullptr);
  set<curl_slist*>(easy, CURLOPT_CONNECT_TO, nullptr);
  set<char*>(easy, CURLOPT_ERRORBUFFER, nullptr);
  set<const char*>(easy, CURLOPT_POSTFIELDS, nullptr);
  if (mime_) {
    set<curl_mime*>(easy, CURLOPT_MIMEPOST, nullptr);
    curl_mime_free(static_cast<curl_mime*>(std::exchange(mime_, nullptr)));
  }
}

// libcurl calls this on every request, new connection or kept, after TCP and TLS stand and before the first byte of the
// request. It is the line between "nothing was sent" and "may have been applied": libcurl's own figures (REQUEST_SIZE)
// count only what a write has reported, and a TLS write may fail after some of its records left.
int CurlExchange::onConnected(void* self, char*, char*, int, int) {
  auto& me = *static_cast<CurlExchange*>(self);
  if (me.peer_.tls) {
    curl_tlssessioninfo* session = nullptr;
    if (curl_easy_getinfo(me.easy_, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session &&
        session->internals)
      me.received_.pin = pinOf(session->internals);
    // libcurl has compared during the handshake; this also holds for a connection that it took from its cache.
    if (!me.peer_.pin.empty() && me.received_.pin != me.peer_.pin) {
      me.stop_ = Stop::PinDiffers;
      return CURL_PREREQFUNC_ABORT;
    }
  }
  me.left_ = true;
  me.connected();
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlExchange::onHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<CurlExchange*>(self);
  me.headerBytes_ += size * count;
  if (me.headerBytes_ > kMaxHeaderBytes) {
    me.stop_ = Stop::HeadTooBig;
    return 0;
  }
  me.readHeader({data, size * count});
  return size * count;
}

void CurlExchange::readHeader(std::string_view line) {
  auto& status = received_.reply.status;
  const bool first = status == 0 ||
                     (status < 200 && headDone_);  // also after a 100 Continue; else it is a trailer
  if (first && line.starts_with("HTTP/")) {
    received_.reply.headers = {};
    headDone_ = false;
    status = 0;
    if (const auto space = line.find(' '); space != std::string_view::npos)
      std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    return;
  }
  if (trimmed(line).empty()) headDone_ = true;
  if (const auto colon = line.find(':'); colon != std::string_view::npos && colon > 0)
    received_.reply.headers.add(std::string(trimmed(line.substr(0, colon))),
                                std::string(trimmed(line.substr(colon + 1))));
}

std::size_t CurlExchange::onBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<CurlExchange*>(self);
  auto& body = me.received_.reply.body;
  if (body.size() + size * count > me.options_.maxReplyBytes) {
    me.stop_ = Stop::BodyTooBig;
    return 0;
  }
  body.append(data, size * count);
  return size * count;
}

bool CurlExchange::closesConnection() const {
  return !isRead() || sameIgnoringCase(received_.reply.headers.get("Connection"), "close");
}

std::string CurlExchange::subject() const {
  return fmt::format("{} {}:{}{}", request_.method, peer_.address, peer_.port, request_.path());
}

Error CurlExchange::broken(Errc code, std::string why) const {
  Error error{code, fmt::format("{}: {}", subject(), why)};
  error.left = left_;
  error.outcomeUnknown = left_ && !isRead();
  if (received_.reply.status >= 200) error.httpStatus = received_.reply.status;
  return error;
}

Error CurlExchange::failed(int curlCode, const char* text) const {
  switch (stop_) {
    case Stop::BodyTooBig:
      return broken(Errc::BadReply, fmt::format("the reply is longer than {} bytes", options_.maxReplyBytes));
    case Stop::HeadTooBig:
      return broken(Errc::BadReply,
                    fmt::format("the reply's headers are longer than {} bytes", kMaxHeaderBytes));
    case Stop::PinDiffers: curlCode = CURLE_SSL_PINNEDPUBKEYNOTMATCH; break;
    case Stop::None: break;
  }
  const bool begun = received_.reply.status >= 200;
  switch (curlCode) {
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return failure("bmc.certificate_changed",
                     subject() + ": the server's key is not the one that was pinned");
    case CURLE_PEER_FAILED_VERIFICATION:
      return failure("bmc.certificate_untrusted", fmt::format("{}: {}", subject(), text));
    case CURLE_SSL_CACERT_BADFILE:
      return Error{Errc::Invalid, fmt::format("{}: {}: {}", subject(), peer_.caFile, text)};
    case CURLE_OPERATION_TIMEDOUT: return broken(left_ ? Errc::Timeout : Errc::Unreachable, text);
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a status line (HTTP/0.9)
      return broken(Errc::BadReply, text);
    default: return broken(begun ? Errc::BadReply : Errc::Unreachable, text);
  }
}

Result<Received> CurlExchange::conclude(int curlCode) {
  if (curlCode == CURLE_OK) {
    // libcurl is content with a connection that ends inside the headers.
    if (!headDone_) return broken(Errc::BadReply, "the reply ended inside its headers");
    return std::move(received_);
  }
  const auto code = static_cast<CURLcode>(curlCode);
  return failed(curlCode, errorText_[0] ? errorText_ : curl_easy_strerror(code));
}

}  // namespace zellige::http
