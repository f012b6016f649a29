// From an Exchange or a Stream back to its connection, from any thread, even after the server is gone.
#pragma once

#include <atomic>

#include "controller/listener/connection.hpp"

namespace zellige::listener {

struct Exchange::Link {
  Link(std::shared_ptr<Loop> l, std::weak_ptr<Connection> c, std::size_t limit, std::uint64_t index)
      : loop(std::move(l)), connection(std::move(c)), maxStreamBytes(limit), request(index) {}

  /// The first answer wins; later ones are dropped.
  void send(Answer answer);

  std::shared_ptr<Loop> loop;
  std::weak_ptr<Connection> connection;
  std::size_t maxStreamBytes;
  std::uint64_t request;
  std::atomic<bool> answered = false;
};

}  // namespace zellige::listener
