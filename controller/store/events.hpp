// The audit trail: append-only rows in a hash chain. Each event's hash covers the one before, so a row that was changed
// or removed behind our back is found, with its sequence. Retention removes only from the old end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controller/base/digest.hpp"
#include "controller/base/json.hpp"
#include "controller/base/secret.hpp"
#include "controller/store/connection.hpp"
#include "controller/store/records.hpp"

namespace zellige {

class EventChain {
 public:
  struct Head {
    std::int64_t sequence = 0;
    std::string hash;  ///< empty before the first event
  };
  explicit EventChain(Connection& db);
  std::int64_t append(StoredEvent event);
  const Head& head() const { return head_; }
  /// After a rollback.
  void returnTo(Head head) { head_ = std::move(head); }

 private:
  Connection& db_;
  Head head_;
  Sha256 hash_;
};

/// What every command needs while it is applied: the open transaction, who acts, and when.
struct Writing {
  Connection& db;
  EventChain& chain;
  const SecretBox& box;
  Time at{};
  std::string actor;

  /// Appends an event. `data` is an object of strings, integers and booleans; never a fraction, never a secret.
  void event(std::string_view kind, NodeId node, RunId run, const Json& data);
  /// The same for what is nothing but words; their keys in order.
  using Word = std::pair<std::string_view, std::string_view>;
  void wordEvent(std::string_view kind, NodeId node, std::initializer_list<Word> words);
};

/// An event's data with the reason that a person gave, if any.
Json withWhy(Json data, const std::string& why);

/// The line that is hashed: one JSON object, keys sorted.
std::string canonicalLine(const StoredEvent& event);

/// Errc::Invalid names the first sequence at which the chain does not hold.
Result<void> verifyEvents(Connection& db);

}  // namespace zellige
