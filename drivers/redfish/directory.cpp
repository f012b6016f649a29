#include "drivers/redfish/directory.hpp"

namespace zellige::redfish {

struct RedfishDirectory::Entry {
  Entry(const Wiring& wiring, const Node& node, const Armed& armed, std::shared_ptr<Ways> ways)
      : place(node.place),
        bmc(
            wiring, node.id, peerOf(node), [this, &armed] { return armed(place); }, std::move(ways)) {}

  static http::Peer peerOf(const Node& node) {
    http::Peer peer;
    peer.address = node.bmc.address;
    peer.port = static_cast<std::uint16_t>(node.bmc.port);
    return peer;
  }

  Place place;
  RedfishBmc bmc;
};

RedfishDirectory::RedfishDirectory(http::Transport& transport, AccessStore& access, Executor& executor,
                                   Armed armed, ClientOptions options)
    : wiring_{transport, access, executor, std::move(options)}, armed_(std::move(armed)) {}

RedfishDirectory::~RedfishDirectory() = default;

std::shared_ptr<Bmc> RedfishDirectory::of(const Node& node) {
  auto& entry = machines_[node.id];
  if (!entry) {
    entry = std::make_shared<Entry>(wiring_, node, armed_, ways_);
  } else {
    entry->place = node.place;
    entry->bmc.client().moveTo(Entry::peerOf(node));
  }
  return {entry, &entry->bmc};
}

void RedfishDirectory::rest(NodeId node) {
  const auto it = machines_.find(node);
  if (it != machines_.end() && it->second.use_count() == 1) machines_.erase(it);
}

std::vector<Exchange> RedfishDirectory::exchanges(NodeId node) const {
  const auto it = machines_.find(node);
  return it == machines_.end() ? std::vector<Exchange>{} : it->second->bmc.client().exchanges();
}

}  // namespace zellige::redfish
