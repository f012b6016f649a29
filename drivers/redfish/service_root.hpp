// What a Redfish service says to anybody, before anything is known of it: for range scans. Knows no session, no password
// and no node.
#pragma once

#include "controller/model/sighting.hpp"
#include "drivers/http/transport.hpp"

namespace zellige::redfish {

/// One anonymous GET of /redfish/v1/ over HTTPS. Whoever answers is believed for what it shows, its TLS key too. Errors as
/// of the transport; BadReply: it answers, but is no Redfish service.
Task<Result<ServiceRoot>> readServiceRoot(http::Transport& transport, http::Peer peer,
                                          http::SendOptions options);

}  // namespace zellige::redfish
