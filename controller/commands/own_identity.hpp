// Who the controller's listeners say they are.
#pragma once

#include "controller/listener/tls_identity.hpp"
#include "controller/site/configuration.hpp"

namespace zellige {

/// The configured certificate, or our own: made once and kept in the data directory (`tls.crt`, `tls.key`), so that what
/// people and machines pinned stays valid. What a crash left half written is made anew; what is damaged is refused,
/// saying what to do.
Result<listener::TlsIdentity> ownIdentity(const Configuration& configuration);

}  // namespace zellige
