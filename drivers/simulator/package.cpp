#include "drivers/simulator/package.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "controller/base/random.hpp"

namespace zellige::sim {

namespace {

// v1.0 identifier F018878C-CB7D-4943-9800-A02F059ACA02, bytes in text order.
constexpr std::array<unsigned char, 16> kIdentifier{0xF0, 0x18, 0x87, 0x8C, 0xCB, 0x7D, 0x49, 0x43,
                                                    0x98, 0x00, 0xA0, 0x2F, 0x05, 0x9A, 0xCA, 0x02};
constexpr std::uint16_t kFirmwareClass = 0x000A;  // component classification
constexpr std::uint16_t kDescriptorUuid = 2, kDescriptorIana = 1;
constexpr std::uint32_t kNvidiaIana = 5703;
constexpr std::size_t kMaxComponents = 64;

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 255);
}
void putString(std::string& out, std::string_view text) {  // type ASCII, length, bytes
  out += '\1';
  out += static_cast<char>(text.size());
  out += text;
}

// A cursor that never reads past the end: once `bad`, everything is zero or empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number(int n) {
    const auto raw = take(static_cast<std::size_t>(n));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return value;
  }
  std::string_view take(std::size_t n) {
    if (bad_ || n > bytes_.size() - at_) {
      bad_ = true;
      return {};
    }
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  std::string_view string() {
    number(1);
    return take(number(1));
  }
  bool bad() const { return bad_; }
  std::size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

Error badPackage(std::string_view why) { return Error{Errc::Invalid, fmt::format("PLDM package: {}", why)}; }

Result<std::string> readDeviceRecords(Reader& in, std::size_t bitmapBytes) {
  std::string device;
  const auto records = in.number(1);
  for (std::uint64_t r = 0; r < records && !in.bad(); ++r) {
    in.number(2);  // record length
    const auto descriptors = in.number(1);
    in.number(4);  // option flags
    in.number(1);
    const auto versionLength = in.number(1);
    const auto dataLength = in.number(2);
    in.take(bitmapBytes);
    in.take(versionLength);
    for (std::uint64_t d = 0; d < descriptors && !in.bad(); ++d) {
      const auto type = in.number(2);
      const auto data = in.take(in.number(2));
      if (type == kDescriptorUuid && data.size() == 16) device = std::string(data);
    }
    in.take(dataLength);
  }
  if (in.bad()) return badPackage("device records run past the end");
  return device;
}

std::string payload(std::uint64_t seed, std::string_view what) {
  Random random(seed, what);
  std::string out(static_cast<std::size_t>(random.between(2'048, 8'192)), '\0');
  for (auto& c : out) c = static_cast<char>(random.next());
  return out;
}

// --- tar, as POSIX ustar writes it

constexpr std::size_t kBlock = 512;
constexpr std::string_view kManifestName = "MANIFEST";

std::string tarEntry(std::string_view name, std::string_view content) {
  std::string header(kBlock, '\0');
  const auto write = [&header](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  write(0, name);
  write(100, "0000644");
  write(108, "0000000");
  write(116, "0000000");
  write(124, fmt::format("{:011o}", content.size()));
  write(136, "00000000000");
  write(148, "        ");
  header[156] = '0';
  write(257, "ustar");
  write(263, "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  write(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  auto out = header + std::string(content);
  out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return out;
}

std::string makeTar(const PackageSpec& spec) {
  const auto& component = spec.components.front();
  return tarEntry(kManifestName, fmt::format("purpose={}\nversion={}\nId={}\n", spec.device,
                                             component.version, component.identifier)) +
         tarEntry("image", component.image) + std::string(2 * kBlock, '\0');
}

std::string_view lineOf(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  return text.substr(0, text.find('\n'));
}

Result<Package> readTar(std::string_view bytes) {
  std::size_t size = 0;
  const auto octal = bytes.substr(124, 11);
  if (std::from_chars(octal.data(), octal.data() + octal.size(), size, 8).ec != std::errc{} ||
      size > bytes.size() - kBlock || !bytes.starts_with(kManifestName))
    return Error{Errc::Invalid, "tar package: no MANIFEST at its beginning"};
  const auto manifest = bytes.substr(kBlock, size);
  Package package;
  package.tar = true;
  package.device = lineOf(manifest, "purpose=");
  package.version = lineOf(manifest, "version=");
  int identifier = 0;
  const auto id = lineOf(manifest, "Id=");
  std::from_chars(id.data(), id.data() + id.size(), identifier);
  package.components.push_back({static_cast<std::uint16_t>(identifier), package.version, 0xffffffffu, 0, {}});
  return package;
}

bool isTar(std::string_view bytes) { return bytes.size() >= kBlock && bytes.substr(257, 5) == "ustar"; }

}  // namespace

std::string_view deviceOf(const BundlePackage& package) {
  return package.device.empty() ? package.entry : package.device;
}

PackageSpec bundleOf(const Profile& profile, const BundlePackage& package, std::uint64_t seed,
                     const Release& release) {
  const auto device = deviceOf(package);
  PackageSpec spec{fmt::format("{}-{}", profile.baselineOf(release), package.entry),
                   std::string(device),
                   package.device.empty(),
                   {}};
  for (const auto& item : profile.firmware) {
    const auto* from = profile.package(item.bundle);
    if (!from || from->file != package.file || item.wanted == item.factory) continue;
    const auto identifier = static_cast<std::uint16_t>(softwareNumber(item.softwareId));
    if (std::any_of(spec.components.begin(), spec.components.end(),
                    [&](const auto& c) { return c.identifier == identifier; }))
      continue;
    const std::uint16_t activation = package.activation == "bmc_reset" ? 1u << 2 : 1u << 5;
    spec.components.push_back(
        {identifier, fmt::format("{}{}", item.wanted, release.suffix), release.stamp, activation,
         payload(seed, fmt::format("{} {} {}", device, item.softwareId, release.stamp))});
  }
  return spec;
}

std::string makePackage(const PackageSpec& spec) {
  if (spec.tar) return makeTar(spec);
  const std::size_t bitmapBytes = (spec.components.size() + 7) / 8;
  std::string descriptors;
  put(descriptors, kDescriptorIana, 2);
  put(descriptors, 4, 2);
  put(descriptors, kNvidiaIana, 4);
  put(descriptors, kDescriptorUuid, 2);
  put(descriptors, 16, 2);
  descriptors += spec.device;

  std::string record;
  put(record, 2, 1);  // descriptors
  put(record, 0, 4);
  put(record, 1, 1);
  put(record, spec.version.size(), 1);
  put(record, 0, 2);  // package data
  for (std::size_t i = 0; i < bitmapBytes; ++i) {
    const auto left = spec.components.size() - 8 * i;
    put(record, left >= 8 ? 0xff : (1u << left) - 1, 1);
  }
  record += spec.version;
  record += descriptors;

  std::string images, table;
  std::size_t headerSize = 16 + 1 + 2 + 13 + 2 + 2 + spec.version.size() + 1 + 2 + record.size() + 2 + 4;
  for (const auto& c : spec.components) headerSize += 22 + c.version.size();
  for (const auto& c : spec.components) {
    put(table, kFirmwareClass, 2);
    put(table, c.identifier, 2);
    put(table, c.stamp, 4);
    put(table, c.stamp == 0xffffffffu ? 0 : 2, 2);  // options: use the comparison stamp
    put(table, c.activation, 2);
    put(table, headerSize + images.size(), 4);
    put(table, c.image.size(), 4);
    putString(table, c.version);
    images += c.image;
  }

  std::string out(reinterpret_cast<const char*>(kIdentifier.data()), kIdentifier.size());
  put(out, 1, 1);
  put(out, headerSize, 2);
  out.append("\0\0\0\0\0\0\0\0\x01\x01\xea\x07\0", 13);  // 2026-01-01, UTC
  put(out, bitmapBytes * 8, 2);
  putString(out, spec.version);
  put(out, 1, 1);  // device records
  put(out, record.size() + 2, 2);
  out += record;
  put(out, spec.components.size(), 2);
  out += table;
  put(out, crc32(out), 4);
  return out + images;
}

Result<Package> readPackage(std::string_view bytes) {
  if (isTar(bytes)) return readTar(bytes);
  Reader in(bytes);
  const auto identifier = in.take(16);
  if (identifier != std::string_view(reinterpret_cast<const char*>(kIdentifier.data()), 16) ||
      in.number(1) != 1)
    return badPackage("not a package of format 1.0");
  const auto headerSize = in.number(2);
  in.take(13);
  const auto bitmapBits = in.number(2);
  if (bitmapBits % 8 != 0) return badPackage("the component bitmap is no whole number of bytes");
  Package package;
  package.version = std::string(in.string());
  auto device = readDeviceRecords(in, bitmapBits / 8);
  if (!device) return device.error();
  package.device = std::move(*device);
  const auto count = in.number(2);
  if (in.bad() || count > kMaxComponents) return badPackage("component table is missing or too long");
  for (std::uint64_t i = 0; i < count; ++i) {
    PackageComponent c;
    in.number(2);
    c.identifier = static_cast<std::uint16_t>(in.number(2));
    const auto stamp = static_cast<std::uint32_t>(in.number(4));
    const bool useStamp = (in.number(2) & 2) != 0;
    c.stamp = useStamp ? stamp : 0xffffffffu;
    c.activation = static_cast<std::uint16_t>(in.number(2));
    const auto offset = in.number(4), size = in.number(4);
    c.version = std::string(in.string());
    if (in.bad() || c.activation > 0x3f || offset > bytes.size() || size > bytes.size() - offset)
      return badPackage("a component does not fit");
    c.image = std::string(bytes.substr(offset, size));
    package.components.push_back(std::move(c));
  }
  const auto end = in.at();
  const auto checksum = in.number(4);
  if (in.bad() || in.at() != headerSize || checksum != crc32(bytes.substr(0, end)))
    return badPackage("header size or checksum is wrong");
  return package;
}

PackageSpec bmcTrayBundle(std::uint64_t seed, std::uint32_t stamp) {
  const auto& tray = profileOf(MachineKind::ComputeTray);
  return bundleOf(tray, *tray.package(Bundle::BmcTray), seed, {"", "", stamp});
}
PackageSpec computeBundle(std::uint64_t seed, std::uint32_t stamp) {
  const auto& tray = profileOf(MachineKind::ComputeTray);
  return bundleOf(tray, *tray.package(Bundle::Compute), seed, {"", "", stamp});
}

int softwareNumber(std::string_view softwareId) {
  if (!softwareId.starts_with("0x")) return -1;
  softwareId.remove_prefix(2);
  int value = -1;
  const auto [end, ec] = std::from_chars(softwareId.data(), softwareId.data() + softwareId.size(), value, 16);
  return ec == std::errc{} && end == softwareId.data() + softwareId.size() ? value : -1;
}

}  // namespace zellige::sim
