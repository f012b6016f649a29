// Redfish URIs as machines write them: case and a final slash differ between a machine's own links (FACTS 1), Location
// may be absolute, and a link is input from outside until it was looked at.
#pragma once

#include <string>
#include <string_view>

namespace zellige::redfish {

/// The path of a link or Location that may be asked of this BMC: absolute URLs lose their host, fragments go. Empty:
/// nothing that can be sent (no path, blanks or control characters, over 1,024 bytes).
std::string localPath(std::string_view link);

/// Lower case, no final slash: what two spellings of one URI have in common.
std::string uriKey(std::string_view uri);
bool sameUri(std::string_view a, std::string_view b);

/// "System_0" of "/redfish/v1/Systems/System_0/".
std::string_view lastSegment(std::string_view uri);

}  // namespace zellige::redfish
