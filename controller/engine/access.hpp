// What must be kept to reach a BMC, and where it is kept. The driver asks for it, the store implements it (sealed with
// the site key); nothing else ever sees these values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "controller/base/result.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/task.hpp"
#include "controller/base/time.hpp"
#include "controller/model/node.hpp"
#include "controller/switch_os.hpp"

namespace zellige {

struct BmcAccess {
  std::string user;
  Secret password;          ///< the last one known to work, or the manifest's
  bool mustChange = false;  ///< it is the factory's: replace it at first contact
  /// Durable before it is set; after a crash either of the two is valid. Dropped only when it became the password, or when
  /// the BMC refused it for what it is: a request that left before a crash may be applied after the next sign-in.
  std::optional<Secret> nextPassword;
  Secret sessionToken;     ///< empty: no session, or one that a password change may have ended
  std::string sessionUri;  ///< for DELETE; not empty, also beyond the session's end: this way in has worked
  std::string pin;         ///< SHA-256 of the BMC's TLS key, base64; empty: not pinned yet
  int guesses = 0;  ///< of its passwords, since one was last accepted; each is durable before it is sent
  int refusals = 0;  ///< of these guesses; what became of the others nobody knows (a crash, a reply that was lost)
  Time guessedAt{};  ///< when the last of them was sent, or refused
  /// Of two passwords, which is tried next. Turned durably before each guess: where a crash leaves open what became of
  /// it, the other one is tried, and two crashes cost no second wrong guess.
  bool guessCurrent = false;
  std::int64_t version = 0;  ///< of the row that was loaded; whoever changes the row adds one

  const Secret& guess() const { return nextPassword && !guessCurrent ? *nextPassword : password; }
};

/// Whose access: a node's BMC, where nothing else is said.
struct AccessKey {
  NodeId node;
  Endpoint endpoint = Endpoint::Bmc;
  AccessKey(NodeId of, Endpoint at = Endpoint::Bmc) : node(of), endpoint(at) {}
  auto operator<=>(const AccessKey&) const = default;
};

class AccessStore {
 public:
  virtual ~AccessStore() = default;
  virtual Result<BmcAccess> loadAccess(AccessKey key) = 0;
  /// Durable when it returns. Conflict: the row is not of `access.version` any more, somebody changed it meanwhile.
  virtual Task<Result<void>> saveAccess(AccessKey key, BmcAccess access) = 0;
};

/// The machines, as the engine reaches them.
class BmcDirectory {
 public:
  virtual ~BmcDirectory() = default;
  /// To be held for as long as one works on it: what is asked one after the other then finds its way only once.
  virtual std::shared_ptr<Bmc> of(const Node& node) = 0;
  /// The system of a switch tray.
  virtual std::shared_ptr<SwitchOs> osOf(const Node& node) = 0;
  /// Work on this node is over for now: unless somebody still holds it, what is kept of it in memory goes.
  virtual void rest(NodeId node) = 0;
};

}  // namespace zellige
