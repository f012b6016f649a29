// The first line of a lease file of Kea.
#pragma once

#include <string_view>

namespace zellige {

inline constexpr std::string_view kKeaHead =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,"
    "pool_id\n";

}  // namespace zellige
