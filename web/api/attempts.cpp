#include "web/api/attempts.hpp"

#include <algorithm>

namespace zellige::api {

Duration Attempts::mustWait(const std::string& key, int most, Time now) const {
  const auto it = wrong_.find(key);
  if (it == wrong_.end() || static_cast<int>(it->second.size()) < most) return Duration{0};
  // The most recent `most` are kept: the oldest of them leaving the window frees one attempt.
  return std::max(Duration{0}, it->second.front() + limits_.window - now);
}

Duration Attempts::mustWait(const std::string& user, const std::string& address, Time now) const {
  return std::max(mustWait("user:" + user, limits_.perUser, now),
                  mustWait("address:" + address, limits_.perAddress, now));
}

void Attempts::note(const std::string& key, int most, Time now) {
  auto [it, fresh] = wrong_.try_emplace(key);
  if (fresh) order_.push_back(key);
  it->second.push_back(now);
  while (static_cast<int>(it->second.size()) > most) it->second.pop_front();
  while (order_.size() > limits_.remembered) {
    wrong_.erase(order_.front());
    order_.pop_front();
  }
}

void Attempts::wrong(const std::string& user, const std::string& address, Time now) {
  note("user:" + user, limits_.perUser, now);
  note("address:" + address, limits_.perAddress, now);
}

void Attempts::right(const std::string& user) {
  if (const auto it = wrong_.find("user:" + user); it != wrong_.end()) it->second.clear();
}

}  // namespace zellige::api
