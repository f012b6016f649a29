// Writes PLDM firmware packages from DSP0267's layout, independently of the reader: for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zellige {

struct PldmWriter {
  struct Image {
    std::string version, content;
    std::uint16_t identifier = 1;
    std::uint16_t activation = 0x0010;  ///< DC cycle
    int offsetError = 0;                ///< added to where the header says the image is
  };
  int revision = 1;  ///< 1: v1.0 … 4: v1.3
  std::string version = "pkg-1";
  std::string setVersion = "SET:1";
  std::vector<Image> images;
  bool breakChecksum = false;
  bool withDevice = true;

  std::string write() const {
    // The header's size does not depend on the offsets in it: write it twice.
    const auto size = header(0).size();
    auto out = header(size);
    for (const auto& image : images) out += image.content;
    return out;
  }

 private:
  static std::string le(std::uint64_t value, int bytes) {
    std::string out;
    for (; bytes > 0; --bytes, value /= 256) out += static_cast<char>(value % 256);
    return out;
  }
  static std::string text(std::string_view s) { return le(1, 1) + le(s.size(), 1) + std::string(s); }

  /// Bit by bit, from the polynomial's definition.
  static std::uint32_t checksum(std::string_view bytes) {
    std::uint32_t crc = ~0u;
    for (const char c : bytes)
      for (int bit = 0; bit < 8; ++bit) {
        const bool odd = ((crc ^ (static_cast<unsigned char>(c) >> bit)) & 1) != 0;
        crc = (crc >> 1) ^ (odd ? 0xEDB88320u : 0u);
      }
    return ~crc;
  }

  static std::string fromHex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return out;
  }

  std::string device() const {
    const std::size_t bitmapBytes = (images.size() + 7) / 8;
    std::string bitmap(bitmapBytes, '\0');
    for (std::size_t i = 0; i < images.size(); ++i)
      bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | (1 << (i % 8)));
    const auto iana = le(1, 2) + le(4, 2) + le(0x1647, 4);
    const auto uuid = le(2, 2) + le(16, 2) + std::string(16, 'u');
    std::string body = le(2, 1) + le(1, 4) + le(1, 1) + le(setVersion.size(), 1) + le(3, 2);
    if (revision >= 4) body += le(2, 4);
    body += bitmap + setVersion + iana + uuid + "PKG";
    if (revision >= 4) body += "RM";
    return le(body.size() + 2, 2) + body;
  }

  std::string header(std::size_t headerSize) const {
    static const char* identifiers[] = {
        "F018878CCB7D49439800A02F059ACA02", "1244D2648D7D4718A030FC8A56587D5A",
        "3119CE2FE80A4A99AF6D46F8B121F6BF", "7B291C996DB64208801B02026E463C78"};
    std::string out = fromHex(identifiers[revision - 1]) + le(static_cast<unsigned>(revision), 1) +
                      le(headerSize, 2);
    out += std::string(13, '\x07');  // release time
    out += le((images.size() + 7) / 8 * 8, 2) + text(version);
    out += withDevice ? le(1, 1) + device() : le(0, 1);
    if (revision >= 2) out += le(1, 1) + le(6, 2) + "down";  // a downstream record that readers skip
    out += le(images.size(), 2);
    std::uint64_t at = headerSize;
    for (const auto& image : images) {
      out += le(0x000A, 2) + le(image.identifier, 2) + le(0xFFFFFFFF, 4) + le(2, 2) + le(image.activation, 2);
      out += le(at + static_cast<std::uint64_t>(static_cast<std::int64_t>(image.offsetError)), 4) +
             le(image.content.size(), 4) + text(image.version);
      if (revision >= 3) out += le(4, 4) + "opaq";
      at += image.content.size();
    }
    out += le(checksum(out) ^ (breakChecksum ? 1u : 0u), 4);
    if (revision >= 4) out += le(0x12345678, 4);  // payload checksum
    return out;
  }
};

}  // namespace zellige
