#include "drivers/simulator/profile.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "controller/base/random.hpp"
#include "drivers/simulator/profiles.hpp"

namespace zellige::sim {

const Profile& profileOf(MachineKind kind) {
  switch (kind) {
    case MachineKind::ComputeTray: return computeTray();
    case MachineKind::SwitchTray: return switchTray();
    case MachineKind::PowerShelf: return powerShelf();
  }
  return computeTray();
}

std::span<const MachineKind> machineKinds() {
  static constexpr std::array kinds{MachineKind::ComputeTray, MachineKind::SwitchTray,
                                    MachineKind::PowerShelf};
  return kinds;
}

int Profile::item(std::string_view id) const {
  const auto it = std::find_if(firmware.begin(), firmware.end(), [&](const auto& f) { return f.id == id; });
  return it == firmware.end() ? -1 : static_cast<int>(it - firmware.begin());
}

const BundlePackage* Profile::package(Bundle bundle) const {
  const auto it = std::find_if(packages.begin(), packages.end(),
                               [&](const auto& p) { return p.bundle == bundle; });
  return it == packages.end() ? nullptr : &*it;
}

std::string Profile::baselineOf(const Release& release) const {
  return std::string(baseline).append(release.baselineEnd);
}

namespace {
constexpr int kMostMachines = 200'000;  // of a fleet: the numbers of those that come later lie beyond
}

std::uint64_t Identity::number(std::string_view what) const {
  const auto own = seed_ * 0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(index_);
  Random random(own + static_cast<std::uint64_t>(swaps_) * 0xbf58476d1ce4e5b9ull, what);
  return random.next();
}

std::string Identity::serial() const {
  const auto made = index_ + kMostMachines * swaps_;
  switch (kind_) {
    case MachineKind::ComputeTray: return fmt::format("{}", 1'333'024'020'001LL + made);
    case MachineKind::SwitchTray: return fmt::format("MT2519{:06}", 600'001 + made);
    case MachineKind::PowerShelf: return fmt::format("LT26{:07}", 1 + made);
  }
  return {};
}

std::string Identity::bmcMac() const {
  static constexpr std::array prefixes{"3c:6d:66", "64:33:aa", "24:94:ca"};
  const int n = index_ + 1 + kMostMachines * swaps_;
  return fmt::format("{}:{:02x}:{:02x}:{:02x}", prefixes[static_cast<std::size_t>(kind_)], (n >> 16) & 255,
                     (n >> 8) & 255, n & 255);
}

std::string Identity::factoryPassword() const { return "Fab-" + hex("factory password", 8); }

std::string Identity::nvosPassword() const { return "Nvos-" + hex("nvos password", 10); }

std::string Identity::uuid(std::string_view what) const {
  const auto a = number(what);
  const auto b = number(std::string(what) + "/low");
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52,
                     b & 0xffff'ffff'ffffull);
}

std::string Identity::hex(std::string_view what, int digits) const {
  std::string out;
  for (int block = 0; static_cast<int>(out.size()) < digits; ++block)
    out += fmt::format("{:016X}", number(fmt::format("{}/{}", what, block)));
  out.resize(static_cast<std::size_t>(digits));
  return out;
}

std::string Identity::decimal(std::string_view prefix, std::string_view what, int digits) const {
  auto tail = fmt::format("{:020}", number(what));
  return std::string(prefix) + tail.substr(tail.size() - static_cast<std::size_t>(digits));
}

std::string Identity::gpuSerial(int gpu, int swap) const {
  return decimal("16429", fmt::format("GPU_{}{}", gpu, swap > 0 ? fmt::format(" {}", swap) : ""), 8);
}
std::string Identity::diskSerial(int disk) const { return "S6" + hex(fmt::format("disk {}", disk), 12); }

std::string Identity::nicMac(int nic) const {
  const auto n = number(fmt::format("nic {}", nic));
  return fmt::format("5c:25:73:{:02x}:{:02x}:{:02x}", (n >> 16) & 255, (n >> 8) & 255, n & 255);
}

}  // namespace zellige::sim
