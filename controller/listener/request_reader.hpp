// Bytes into one HttpRequest, strictly: what two servers could read in two ways is refused (RFC 9112 section 6.3).
// Beast parses; the refusals that it leaves to its user are here.
#pragma once

#include <memory>
#include <string_view>

#include "controller/listener/listener.hpp"

namespace zellige::listener {

class RequestReader {
 public:
  enum class Progress { NeedMore, Complete, Refused };

  /// `options` outlives it.
  explicit RequestReader(const ListenerOptions& options);
  ~RequestReader();

  /// `used` of the bytes are consumed; the rest must be given again, with more behind it, or belongs to what follows.
  Progress feed(std::string_view bytes, std::size_t& used);

  int refusal() const { return refusal_; }  ///< HTTP status, when Refused
  bool headDone() const;
  /// The client waits for "100 Continue" before it sends the body. True once.
  bool takeContinue();
  bool keepAlive() const;
  HttpRequest take();

 private:
  struct Parser;
  Progress refuse(int status);
  bool headIsSound() const;
  HttpRequest head() const;
  Progress checkHead();
  const ListenerOptions& options_;
  std::unique_ptr<Parser> parser_;
  int bodyRefusal_ = 413;
  int refusal_ = 0;
  bool headChecked_ = false, continueAsked_ = false;
};

}  // namespace zellige::listener
