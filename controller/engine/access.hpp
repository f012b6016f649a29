// What must be kept to reach a BMC, and where it is kept. The driver asks for it, the store implements it (sealed with
// the site key); nothing else ever sees these values.
#pragma once

#include <optional>
#include <string>

#include "controller/base/result.hpp"
#include "controller/base/secret.hpp"
#include "controller/base/task.hpp"
#include "controller/bmc.hpp"
#include "controller/model/node.hpp"

namespace zellige {

struct BmcAccess {
  std::string user;
  Secret password;                     ///< the last one known to work, or the manifest's
  bool mustChange = false;             ///< it is the factory's: replace it at first contact
  std::optional<Secret> nextPassword;  ///< durable before it is set; after a crash either of the two is valid
  Secret sessionToken;                 ///< empty: no session that we know of
  std::string sessionUri;              ///< for DELETE
  std::string pin;                     ///< SHA-256 of the BMC's TLS key, base64; empty: not pinned yet
};

class AccessStore {
 public:
  virtual ~AccessStore() = default;
  virtual Result<BmcAccess> loadAccess(NodeId node) = 0;
  /// Durable when it returns.
  virtual Task<Result<void>> saveAccess(NodeId node, BmcAccess access) = 0;
};

/// The machines, as the engine reaches them. References stay valid until the directory dies.
class BmcDirectory {
 public:
  virtual ~BmcDirectory() = default;
  virtual Bmc& of(const Node& node) = 0;
  /// Nobody works on this node at present: what is held for it in memory may go.
  virtual void rest(NodeId node) = 0;
};

}  // namespace zellige
