#include "controller/site/pldm.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>

#include "controller/model/catalog.hpp"
#include "controller/site/document.hpp"

namespace zellige {

namespace {

struct Malformed {
  std::string what;
};

/// Little-endian reading that never passes the end.
class Bytes {
 public:
  Bytes(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      throw Malformed{
          fmt::format("{} ends after {} bytes; {} more are needed at {}", what_, bytes_.size(), count, at_)};
    const auto taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class N>
  N number() {
    N value = 0;
    const auto taken = take(sizeof(N));
    for (std::size_t i = 0; i < sizeof(N); ++i)
      value = static_cast<N>(value |
                             static_cast<N>(static_cast<N>(static_cast<unsigned char>(taken[i])) << (8 * i)));
    return value;
  }
  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::size_t position() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_, what_;
  std::size_t at_ = 0;
};

using namespace std::string_view_literals;  // one identifier has a zero byte
constexpr std::array<std::string_view, 4> identifiers{
    // FACTS 6; index + 1 is the format revision
    "\xF0\x18\x87\x8C\xCB\x7D\x49\x43\x98\x00\xA0\x2F\x05\x9A\xCA\x02"sv,
    "\x12\x44\xD2\x64\x8D\x7D\x47\x18\xA0\x30\xFC\x8A\x56\x58\x7D\x5A"sv,
    "\x31\x19\xCE\x2F\xE8\x0A\x4A\x99\xAF\x6D\x46\xF8\xB1\x21\xF6\xBF"sv,
    "\x7B\x29\x1C\x99\x6D\xB6\x42\x08\x80\x1B\x02\x02\x6E\x46\x3C\x78"sv};
constexpr std::size_t identifierSize = 16;
static_assert(identifiers[0].size() == identifierSize && identifiers[3].size() == identifierSize);
constexpr std::size_t sizeFieldEnd = 19;  // identifier, revision, header size

/// CRC-32 as zlib's: reflected 0xEDB88320, DSP0267's header checksum.
std::uint32_t crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < t.size(); ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ (t[i] & 1 ? 0xEDB88320u : 0u);
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFu] ^ (crc >> 8);
  return ~crc;
}

void appendUtf8(std::string& out, std::uint32_t point) {
  if (point < 0x20 || point == 0x7F || (point >= 0xD800 && point <= 0xDFFF)) point = '?';
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

enum class StringType : std::uint8_t { Unknown, Ascii, Utf8, Utf16, Utf16Le, Utf16Be };

/// As UTF-8 that can be shown and stored: padding off, what is not text becomes '?'.
std::string decode(std::uint8_t type, std::string_view raw) {
  if (type > static_cast<std::uint8_t>(StringType::Utf16Be))
    throw Malformed{fmt::format("string type {} is not known", type)};
  std::string out;
  if (type >= static_cast<std::uint8_t>(StringType::Utf16)) {
    bool big = type == static_cast<std::uint8_t>(StringType::Utf16Be);
    for (std::size_t i = 0; i + 1 < raw.size(); i += 2) {
      const auto a = static_cast<unsigned char>(raw[i]), b = static_cast<unsigned char>(raw[i + 1]);
      const std::uint32_t unit = big ? a * 256u + b : b * 256u + a;
      if (i == 0 && type == static_cast<std::uint8_t>(StringType::Utf16) &&
          (unit == 0xFEFF || unit == 0xFFFE)) {
        big = unit == 0xFFFE;
        continue;
      }
      if (unit != 0) appendUtf8(out, unit);
    }
  } else {
    out = onlyText(std::string(raw.substr(0, raw.find_last_not_of('\0') + 1)));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, '?');
  }
  const auto begin = std::min(out.find_first_not_of(' '), out.size());
  return out.substr(begin, out.find_last_not_of(' ') + 1 - begin);
}

std::string readString(Bytes& bytes) {
  const auto type = bytes.u8();
  return decode(type, bytes.take(bytes.u8()));
}

PldmPackage::Device readDevice(Bytes& header, int revision, std::uint16_t bitmapBits) {
  const auto length = header.u16();
  if (length < 2) throw Malformed{"a device record is shorter than its own length"};
  Bytes record(header.take(length - 2u), "a device record");
  const auto descriptors = record.u8();
  record.u32();  // update options
  const auto versionType = record.u8();
  const auto versionLength = record.u8();
  const auto packageData = record.u16();
  const auto reference = revision >= 4 ? record.u32() : 0u;
  const auto bitmap = record.take(bitmapBits / 8u);
  PldmPackage::Device device;
  for (std::uint32_t i = 0; i < bitmapBits; ++i)
    if (static_cast<unsigned char>(bitmap[i / 8]) >> (i % 8) & 1)
      device.components.push_back(static_cast<std::uint16_t>(i));
  device.setVersion = decode(versionType, record.take(versionLength));
  for (int i = 0; i < descriptors; ++i) {
    const auto type = record.u16();
    device.descriptors.push_back({type, std::string(record.take(record.u16()))});
  }
  record.take(packageData);
  record.take(reference);
  return device;
}

PldmPackage::Component readComponent(Bytes& header, int revision, std::uint32_t headerSize,
                                     std::uint64_t fileSize) {
  constexpr std::uint16_t activationBits = 0x3F;
  PldmPackage::Component c;
  c.classification = header.u16();
  c.identifier = header.u16();
  c.comparisonStamp = header.u32();
  c.options = header.u16();
  c.activationMethods = header.u16();
  c.offset = header.u32();
  c.size = header.u32();
  c.version = readString(header);
  if (revision >= 3) header.take(header.u32());  // opaque data
  if (c.activationMethods > activationBits)
    throw Malformed{fmt::format("activation methods 0x{:04x} are not known", c.activationMethods)};
  if (c.offset < headerSize || c.offset + c.size > fileSize)
    throw Malformed{fmt::format("image '{}' at {} of {} bytes is not inside the {} bytes after the header",
                                c.version, c.offset, c.size, fileSize - headerSize)};
  return c;
}

int revisionOf(std::string_view head) {
  const auto it = std::find(identifiers.begin(), identifiers.end(), head.substr(0, identifierSize));
  if (it == identifiers.end())
    throw Malformed{"not a PLDM firmware package: its first 16 bytes are no known identifier"};
  const int revision = static_cast<int>(it - identifiers.begin()) + 1;
  if (head.size() > identifierSize && head[identifierSize] != revision)
    throw Malformed{fmt::format("format revision {} does not fit the identifier of revision {}",
                                static_cast<int>(static_cast<unsigned char>(head[identifierSize])), revision)};
  return revision;
}

/// Exactly the header's bytes, checksum confirmed and cut off.
std::string_view checkedHeader(std::string_view head, std::uint64_t fileSize, int revision) {
  Bytes start(head, "the package");
  start.take(identifierSize + 1);
  const auto size = start.u16();
  const std::size_t checksums = revision >= 4 ? 8 : 4;
  if (size < sizeFieldEnd + checksums || size > fileSize || size > head.size())
    throw Malformed{fmt::format("a header of {} bytes does not fit a file of {}", size, fileSize)};
  const auto covered = head.substr(0, size - checksums);
  const auto told = Bytes(head.substr(covered.size()), "the checksum").u32();
  if (told != crc32(covered))
    throw Malformed{fmt::format("header checksum is {:08x}, but its bytes give {:08x}", told, crc32(covered))};
  return covered;
}

PldmPackage parse(std::string_view head, std::uint64_t fileSize) {
  constexpr std::size_t releaseTime = 13;
  PldmPackage package;
  package.formatRevision = revisionOf(head);
  const auto covered = checkedHeader(head, fileSize, package.formatRevision);
  package.headerSize = static_cast<std::uint32_t>(covered.size() + (package.formatRevision >= 4 ? 8 : 4));

  Bytes header(covered, "the header");
  header.take(sizeFieldEnd + releaseTime);
  const auto bitmapBits = header.u16();
  if (bitmapBits % 8 != 0)
    throw Malformed{fmt::format("component bitmap of {} bits: not whole bytes", bitmapBits)};
  package.version = readString(header);
  for (int records = header.u8(); records > 0; --records)
    package.devices.push_back(readDevice(header, package.formatRevision, bitmapBits));
  if (package.formatRevision >= 2)
    for (int records = header.u8(); records > 0; --records) {
      const auto length = header.u16();
      if (length < 2) throw Malformed{"a downstream device record is shorter than its own length"};
      header.take(length - 2u);
    }
  for (int images = header.u16(); images > 0; --images)
    package.components.push_back(readComponent(header, package.formatRevision, package.headerSize, fileSize));
  if (header.left() > 0) throw Malformed{fmt::format("{} bytes of the header mean nothing", header.left())};
  if (package.components.empty()) throw Malformed{"the package holds no image"};
  for (const auto& device : package.devices)
    if (!device.components.empty() && device.components.back() >= package.components.size())
      throw Malformed{fmt::format("a device record names image {}, of {}", device.components.back(),
                                  package.components.size())};
  if (!package.devices.empty()) package.setVersion = package.devices.front().setVersion;
  return package;
}

std::string readAt(std::ifstream& in, std::uint64_t offset, std::uint64_t count) {
  std::string bytes(count, '\0');
  in.clear();
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

}  // namespace

bool PldmPackage::contains(std::string_view wanted) const {
  return std::any_of(components.begin(), components.end(),
                     [&](const Component& c) { return sameVersion(c.version, wanted); }) ||
         std::any_of(nested.begin(), nested.end(), [&](const PldmPackage& p) { return p.contains(wanted); });
}

Result<PldmPackage> readPldmHeader(std::string_view head, std::uint64_t fileSize) {
  try {
    return parse(head, fileSize);
  } catch (const Malformed& malformed) {
    return Error{Errc::Invalid, malformed.what};
  }
}

Result<PldmPackage> readPldmPackage(const std::filesystem::path& file) {
  std::error_code trouble;
  if (!std::filesystem::is_regular_file(file, trouble))
    return Error{Errc::NotFound, fmt::format("no file {}", file.string())};
  const auto size = std::filesystem::file_size(file, trouble);
  std::ifstream in(file, std::ios::binary);
  if (trouble || !in) return Error{Errc::NotFound, fmt::format("cannot open {}", file.string())};

  auto package = readPldmHeader(readAt(in, 0, std::min<std::uint64_t>(size, maxPldmHeader)), size);
  if (!package) return package;
  for (const auto& component : package->components) {
    const auto start = readAt(in, component.offset, std::min<std::uint64_t>(component.size, identifierSize));
    if (std::find(identifiers.begin(), identifiers.end(), start) == identifiers.end()) continue;
    const auto head = readAt(in, component.offset, std::min<std::uint64_t>(component.size, maxPldmHeader));
    auto nested = readPldmHeader(head, component.size);
    if (!nested)
      return Error{Errc::Invalid,
                   fmt::format("image '{}' is a package, but {}", component.version, nested.error().what)};
    package->nested.push_back(std::move(*nested));
  }
  return package;
}

}  // namespace zellige
