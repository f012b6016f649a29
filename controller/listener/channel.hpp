// Bytes over a non-blocking socket, in clear or in TLS. OpenSSL works on the descriptor itself, not through Asio's BIO
// pair, which costs 72 KB per connection instead of 14 (stack.md 1).
#pragma once

#include <cstddef>
#include <memory>

struct ssl_ctx_st;
struct ssl_st;

namespace zellige::listener {

enum class Io { Done, WantRead, WantWrite, Closed };
struct IoResult {
  Io io;
  std::size_t bytes = 0;
};

class Channel {
 public:
  /// The descriptor stays the caller's and must outlive the channel. No context: in clear.
  Channel(int descriptor, ssl_ctx_st* context);
  ~Channel();
  Channel(const Channel&) = delete;

  Io handshake();
  IoResult read(char* data, std::size_t size);
  IoResult write(const char* data, std::size_t size);
  /// Sends no more; with `goodbye` the TLS close_notify goes out first.
  void finish(bool goodbye);

 private:
  int descriptor_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
};

}  // namespace zellige::listener
