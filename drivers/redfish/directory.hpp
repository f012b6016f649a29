// The machines that are spoken to by Redfish at present: made when first asked for, gone when they rest.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "controller/engine/access.hpp"
#include "drivers/redfish/redfish_bmc.hpp"

namespace zellige::redfish {

class RedfishDirectory {
 public:
  /// Whether writes may leave for machines in this place; asked before each of them.
  using Armed = std::function<bool(const Place&)>;

  RedfishDirectory(http::Transport& transport, AccessStore& access, Executor& executor, Armed armed,
                   ClientOptions options = {});
  ~RedfishDirectory();

  /// To be held for as long as one works on it.
  std::shared_ptr<Bmc> of(const Node& node);
  /// Work on this node is over for now.
  void rest(NodeId node);
  /// How it is reached has changed: whoever asks for it next meets it anew, whoever holds it now keeps what it knew.
  void forget(NodeId node) { machines_.erase(node); }

  /// The last exchanges with this node's BMC, oldest first; none where nobody works on it.
  std::vector<Exchange> exchanges(NodeId node) const;

 private:
  struct Entry;

  Wiring wiring_;
  Armed armed_;
  std::shared_ptr<Ways> ways_ = std::make_shared<Ways>();
  std::unordered_map<NodeId, std::shared_ptr<Entry>> machines_;
};

}  // namespace zellige::redfish
