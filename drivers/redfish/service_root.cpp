#include "drivers/redfish/service_root.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"
#include "controller/base/text.hpp"

namespace zellige::redfish {

Task<Result<ServiceRoot>> readServiceRoot(http::Transport& transport, http::Peer peer,
                                          http::SendOptions options) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/redfish/v1/";
  request.headers.add("Accept", "application/json");
  request.headers.add("OData-Version", "4.0");
  const auto address = peer.address;
  const auto received = co_await transport.send(std::move(peer), std::move(request), std::move(options));
  if (!received) co_return received.error();
  const auto& reply = received->reply;
  const auto json = parseJson(reply.body, {.bytes = 64u << 10, .depth = 16, .values = 5'000});
  const bool isRoot = reply.status == 200 && json && json->is_object() &&
                      (at(*json, "RedfishVersion") ||
                       readString(*json, "@odata.type").value_or("").find("ServiceRoot") != std::string::npos);
  if (!isRoot)
    co_return Error{Errc::BadReply, fmt::format("{}: no Redfish service answers", address), false,
                    reply.status};
  const auto word = [&](std::string_view name) { return plainWord(readString(*json, name).value_or("")); };
  co_return ServiceRoot{word("UUID"), word("Vendor"), word("Product"), word("RedfishVersion"), received->pin};
}

}  // namespace zellige::redfish
