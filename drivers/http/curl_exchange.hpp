// One exchange as libcurl sees it: the easy handle's options, its callbacks, and what its end means. Internal; knows
// nothing of threads or sockets.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "drivers/http/transport.hpp"

struct curl_slist;

namespace zellige::http {

/// Errc::Invalid for what must not reach libcurl: an address that is a name, line breaks in headers, and so on.
Result<void> checkRequest(const Peer& peer, const HttpRequest& request, const SendOptions& options,
                          bool allowPlain);

class CurlExchange {
 public:
  CurlExchange(Peer peer, HttpRequest request, SendOptions options);
  virtual ~CurlExchange();
  CurlExchange(const CurlExchange&) = delete;

  /// Options that every exchange shares; `easy` is a CURL*. Once per handle.
  static void prepareHandle(void* easy);
  /// Everything that differs; whatever an earlier exchange set on the handle is set again.
  Result<void> applyTo(void* easy);
  /// Takes its memory back from the handle, before the handle is used again or freed.
  void detach(void* easy);
  /// After libcurl is done with code `curlCode`.
  Result<Received> conclude(int curlCode);
  /// For an exchange that we end ourselves.
  Error broken(Errc code, std::string why) const;

  const Peer& peer() const { return peer_; }
  /// GET and HEAD: may use a kept connection, may be repeated.
  bool isRead() const { return request_.method == "GET" || request_.method == "HEAD"; }
  /// The server asked, or we decided, not to keep the connection.
  bool closesConnection() const;

 protected:
  /// The connection stands and the request is about to leave. Called inside libcurl: no call into it from here.
  virtual void connected() = 0;

 private:
  enum class Stop { None, BodyTooBig, HeadTooBig, PinDiffers };

  static std::size_t onHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t onBody(char* data, std::size_t size, std::size_t count, void* self);
  static int onConnected(void* self, char* remoteIp, char* localIp, int remotePort, int localPort);
  void applyTls(void* easy);
  void applyMethod(void* easy);
  Result<void> applyUpload(void* easy);
  Result<void> applyPlainUpload(void* easy);
  void readHeader(std::string_view line);
  Error failed(int curlCode, const char* text) const;
  std::string subject() const;

  Peer peer_;
  HttpRequest request_;
  SendOptions options_;
  Received received_;
  void* easy_ = nullptr;
  void* mime_ = nullptr;
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, CloseFile> file_;  ///< of a plain upload
  curl_slist* headers_ = nullptr;
  curl_slist* connectTo_ = nullptr;
  std::size_t headerBytes_ = 0;
  bool headDone_ = false;  ///< the empty line after the headers has come
  bool left_ = false;      ///< the request has begun to leave, or may have
  Stop stop_ = Stop::None;
  char errorText_[256] = "";  // CURL_ERROR_SIZE
};

}  // namespace zellige::http
