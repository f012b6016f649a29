// The machines of a site behind one door for the engine: their BMCs by Redfish, the systems of switch trays by NVUE.
#pragma once

#include <unordered_map>

#include "drivers/nvos/nvos_switch.hpp"
#include "drivers/redfish/directory.hpp"

namespace zellige {

class Machines final : public BmcDirectory {
 public:
  using Armed = redfish::RedfishDirectory::Armed;
  /// All references outlive this.
  Machines(http::Transport& transport, AccessStore& access, Executor& executor, Armed armed,
           redfish::ClientOptions redfish, nvos::Options nvos);
  ~Machines() override;

  std::shared_ptr<Bmc> of(const Node& node) override { return bmcs_.of(node); }
  std::shared_ptr<SwitchOs> osOf(const Node& node) override;
  void rest(NodeId node) override;
  /// How it is reached has changed: whoever asks for it next meets it anew.
  void forget(NodeId node);

 private:
  struct Switch;

  Armed armed_;
  redfish::RedfishDirectory bmcs_;
  nvos::Wiring wiring_;
  std::unordered_map<NodeId, std::shared_ptr<Switch>> switches_;
};

}  // namespace zellige
