#include "controller/listener/channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace zellige::listener {

namespace {

Io ioOf(SSL* ssl, int result) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ: return Io::WantRead;
    case SSL_ERROR_WANT_WRITE: return Io::WantWrite;
    default: return Io::Closed;
  }
}

IoResult plain(ssize_t result, Io whenBlocked) {
  if (result > 0) return {Io::Done, static_cast<std::size_t>(result)};
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return {whenBlocked};
  return {Io::Closed};
}

}  // namespace

Channel::Channel(int descriptor, ssl_ctx_st* context)
    : descriptor_(descriptor), ssl_(context ? SSL_new(context) : nullptr, SSL_free) {
  if (ssl_) SSL_set_fd(ssl_.get(), descriptor);
}
Channel::~Channel() = default;

Io Channel::handshake() {
  if (!ssl_) return Io::Done;
  ERR_clear_error();
  const int result = SSL_accept(ssl_.get());
  return result == 1 ? Io::Done : ioOf(ssl_.get(), result);
}

IoResult Channel::read(char* data, std::size_t size) {
  if (!ssl_) return plain(::recv(descriptor_, data, size, 0), Io::WantRead);
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_.get(), data, size, &bytes);
  return result == 1 ? IoResult{Io::Done, bytes} : IoResult{ioOf(ssl_.get(), result)};
}

IoResult Channel::write(const char* data, std::size_t size) {
  if (!ssl_) return plain(::send(descriptor_, data, size, MSG_NOSIGNAL), Io::WantWrite);
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_write_ex(ssl_.get(), data, size, &bytes);
  return result == 1 ? IoResult{Io::Done, bytes} : IoResult{ioOf(ssl_.get(), result)};
}

void Channel::finish(bool goodbye) {
  ERR_clear_error();
  if (goodbye && ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace zellige::listener
