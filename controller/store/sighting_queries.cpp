#include "controller/store/apply_sighting.hpp"
#include "controller/store/queries_impl.hpp"

namespace zellige {

UnlistedPage Queries::unlisted(std::int64_t before, int limit) {
  const auto snapshot = impl_->snapshot();
  UnlistedPage page;
  page.total = impl_->db.number("SELECT count(*) FROM unlisted");
  auto q = impl_->db.query(
      "SELECT id, mac, address, hostname, vendor_class, circuit, remote, place, port, uuid, vendor, product, "
      "redfish_version, pin, answered, first_seen, last_seen FROM unlisted WHERE ?1 = 0 OR id < ?1 "
      "ORDER BY id DESC LIMIT ?2");
  q.bind(before, limit + 1);
  while (q.step()) {
    if (page.devices.size() == static_cast<std::size_t>(limit)) {
      page.next = page.devices.back().id;
      break;
    }
    Unlisted device;
    device.id = q.integer(0);
    device.lease = {q.text(1), q.text(2), q.text(3), q.text(4), q.text(5), q.text(6), q.text(7)};
    device.port = static_cast<int>(q.integer(8));
    device.root = {q.text(9), q.text(10), q.text(11), q.text(12), q.text(13)};
    device.answered = q.maybeTime(14);
    device.firstSeen = q.time(15);
    device.lastSeen = q.time(16);
    page.devices.push_back(std::move(device));
  }
  return page;
}

bool Queries::isNodeAddress(std::string_view address) { return someNodeIsAt(impl_->db, address); }

bool Queries::isNodeMac(std::string_view mac) {
  auto q = impl_->db.query("SELECT 1 FROM node WHERE bmc_mac = ? AND bmc_mac <> '' LIMIT 1");
  q.bind(mac);
  return q.step();
}

std::vector<NodeClaim> Queries::nodeClaims() {
  auto q = impl_->db.query(
      "SELECT serial, bmc_mac, bmc_address, bmc_port, bmc_leased, os_address, os_port FROM node "
      "WHERE lifecycle <> 'retired'");
  std::vector<NodeClaim> out;
  while (q.step())
    out.push_back({q.text(0), q.text(1), q.text(2), static_cast<int>(q.integer(3)), q.flag(4), q.text(5),
                   static_cast<int>(q.integer(6))});
  return out;
}

}  // namespace zellige
