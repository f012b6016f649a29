#include "controller/commands/machines.hpp"

namespace zellige {

namespace {

http::Peer osPeer(const Node& node) {
  http::Peer peer;
  peer.address = node.os.address;
  peer.port = static_cast<std::uint16_t>(node.os.port);
  return peer;
}

}  // namespace

struct Machines::Switch {
  Switch(const nvos::Wiring& wiring, const Node& node, const Armed& armed)
      : place(node.place), os(wiring, node.id, osPeer(node), [this, &armed] { return armed(place); }) {}
  Place place;
  nvos::NvosSwitch os;
};

Machines::Machines(http::Transport& transport, AccessStore& access, Executor& executor, Armed armed,
                   redfish::ClientOptions redfish, nvos::Options nvos)
    : armed_(std::move(armed)),
      bmcs_(transport, access, executor, armed_, std::move(redfish)), wiring_{transport, access, executor,
                                                                              std::move(nvos)} {}

Machines::~Machines() = default;

std::shared_ptr<SwitchOs> Machines::osOf(const Node& node) {
  auto& entry = switches_[node.id];
  if (!entry) entry = std::make_shared<Switch>(wiring_, node, armed_);
  entry->place = node.place;
  entry->os.moveTo(osPeer(node));
  return {entry, &entry->os};
}

void Machines::rest(NodeId node) {
  bmcs_.rest(node);
  const auto it = switches_.find(node);
  if (it != switches_.end() && it->second.use_count() == 1) switches_.erase(it);
}

void Machines::forget(NodeId node) {
  bmcs_.forget(node);
  switches_.erase(node);
}

}  // namespace zellige
