// Any bytes given as a PLDM package: an error, or a package whose images lie inside the file. So that the
// checksum does not hide what is behind it, every input is tried again with the right one put in.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "controller/site/document.hpp"
#include "controller/site/pldm.hpp"

namespace {

std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

void judge(std::string_view bytes) {
  const auto package = zellige::readPldmHeader(bytes, bytes.size());
  if (!package) {
    if (package.error().what.empty()) std::abort();
    return;
  }
  for (const auto& c : package->components) {
    if (c.offset < package->headerSize || c.offset + c.size > bytes.size()) std::abort();
    if (zellige::firstNotText(c.version) != std::string_view::npos) std::abort();
  }
  for (const auto& device : package->devices)
    for (const auto index : device.components)
      if (index >= package->components.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  judge(bytes);
  if (size < 32) return 0;
  const std::size_t header = static_cast<unsigned char>(bytes[17]) +
                             256u * static_cast<unsigned char>(bytes[18]);
  const std::size_t checksums = bytes[16] == 4 ? 8 : 4;
  if (header < checksums || header > size) return 0;
  auto crc = checksum(std::string_view(bytes).substr(0, header - checksums));
  for (std::size_t i = 0; i < 4; ++i, crc >>= 8)
    bytes[header - checksums + i] = static_cast<char>(crc & 0xFF);
  judge(bytes);
  return 0;
}
