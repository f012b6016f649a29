// Wrong passwords, counted per user and per peer address: who guesses must wait. In memory; a restart forgets.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "controller/base/time.hpp"

namespace zellige::api {

struct AttemptLimits {
  int perUser = 10;     ///< wrong ones within the window
  int perAddress = 30;  ///< several people may share an address
  Duration window{5min};
  std::size_t remembered = 20'000;  ///< names and addresses; the oldest are forgotten first
};

class Attempts {
 public:
  explicit Attempts(AttemptLimits limits) : limits_(limits) {}
  /// How long this user from this address must wait before a password is looked at; 0: not at all.
  Duration mustWait(const std::string& user, const std::string& address, Time now) const;
  void wrong(const std::string& user, const std::string& address, Time now);
  /// Forgets the user's wrong ones; the address's stay.
  void right(const std::string& user);

 private:
  using Times = std::deque<Time>;
  Duration mustWait(const std::string& key, int most, Time now) const;
  void note(const std::string& key, int most, Time now);
  AttemptLimits limits_;
  std::map<std::string, Times> wrong_;  // "user:…" and "address:…"
  std::deque<std::string> order_;       // keys as they were first noted
};

}  // namespace zellige::api
