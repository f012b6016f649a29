// PLDM firmware packages (DSP0267; FACTS 6): the header of format 1.0 to 1.3, read from a file without
// reading its images. Packages are hostile until read: the header is at most 64 KiB, its CRC-32 must fit,
// every length stays inside what holds it, and every image inside the file. The payload checksum of 1.3 is
// not checked here: packages are named by their SHA-256, which covers every byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/result.hpp"

namespace zellige {

struct PldmPackage {
  struct Component {
    std::uint16_t classification = 0;  ///< 0x000A: firmware
    std::uint16_t identifier = 0;
    std::uint32_t comparisonStamp = 0;    ///< 0xFFFFFFFF: not used
    std::uint16_t options = 0;            ///< bit 0: force update, bit 1: the stamp counts
    std::uint16_t activationMethods = 0;  ///< bits: automatic, self-contained, medium-specific reset, system
                                          ///< reboot, DC cycle, AC cycle
    std::uint64_t offset = 0, size = 0;   ///< bytes, from the start of the package
    std::string version;                  ///< UTF-8, padding removed
  };
  struct Descriptor {
    std::uint16_t type = 0;  ///< 0 PCI vendor, 1 IANA, 2 UUID, 0x100 PCI device, 0xFFFF vendor …
    std::string data;        ///< raw bytes
  };
  struct Device {
    std::string setVersion;                 ///< NVIDIA: "name:model:…" per component, comma separated
    std::vector<std::uint16_t> components;  ///< indexes of the images meant for it
    std::vector<Descriptor> descriptors;
  };
  int formatRevision = 0;  ///< 1: v1.0, 2: v1.1, 3: v1.2, 4: v1.3
  std::string version;     ///< of the package
  std::string setVersion;  ///< of the first device; empty without devices
  std::uint32_t headerSize = 0;
  std::vector<Device> devices;
  std::vector<Component> components;
  std::vector<PldmPackage> nested;  ///< images that are packages themselves (a DGX bundle holds the HGX one); one level

  /// True if a component here or nested has this version (sameVersion in model/catalog.hpp).
  bool contains(std::string_view wanted) const;
};

/// Bytes: its size is told in 16 bits.
constexpr std::uint32_t maxPldmHeader = 0xFFFF;

/// `head`: the first bytes of the package, at least its header; `fileSize`: bytes of the whole. No nested
/// packages. Errc::Invalid with what is wrong.
Result<PldmPackage> readPldmHeader(std::string_view head, std::uint64_t fileSize);

/// From a file. Errc::NotFound if it cannot be opened, else as readPldmHeader.
Result<PldmPackage> readPldmPackage(const std::filesystem::path& file);

}  // namespace zellige
