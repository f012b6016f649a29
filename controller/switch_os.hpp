// What the workflows need of the system that a switch tray runs (NVOS): it writes the tray's firmware, and it runs the
// control plane of the NVLink domain. The rules of bmc.hpp hold here as well: reading never changes anything, writing is
// NotArmed in observe mode, an unknown outcome is an outcome.
#pragma once

#include "controller/bmc.hpp"

namespace zellige {

struct SwitchIdentity {
  std::string serial, product;
};

/// The control plane of the NVLink domain (NMX-Controller), as one switch tray shows it.
struct NvlinkControl {
  bool enabled = false;     ///< this tray runs it: it leads the domain
  bool configured = false;  ///< it says that the fabric is configured
  std::string detail;       ///< as reported
};

class SwitchOs : public FirmwareService {
 public:
  // Reading
  /// Signs in with what the store knows, and settles a password change that a crash left open. Auth: refused.
  virtual Task<Result<SwitchIdentity>> signIn() = 0;
  virtual Task<Result<NvlinkControl>> nvlinkControl() = 0;

  // Writing
  /// Two-phase: the new password is durable before it is sent.
  virtual Task<Result<void>> changePassword() = 0;
  virtual Task<Result<void>> startNvlinkControl() = 0;
};

}  // namespace zellige
