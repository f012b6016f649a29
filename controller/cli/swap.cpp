// Playing the technician on simulated machines.
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/cli/actions.hpp"
#include "controller/cli/table.hpp"

namespace zellige::cli {

namespace {

Result<http::Peer> simulatorAt(const std::string& text) {
  http::Peer peer;
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? 0 : std::atoi(text.c_str() + colon + 1);
  if (port < 1 || port > 65'535)
    return Error{Errc::Invalid,
                 fmt::format("'{}' is no IP:PORT; give the one of zellige simulator --control", text)};
  peer.address = text.substr(0, colon);
  peer.port = static_cast<std::uint16_t>(port);
  peer.tls = false;
  return peer;
}

/// With its factory password: for its owner's eyes.
Result<void> writeManifest(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  std::error_code failed;
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                               failed);
  out << text;
  out.close();
  if (failed || !out) return Error{Errc::Invalid, fmt::format("cannot write {}", file.string())};
  return {};
}

}  // namespace

Task<int> swapSimulated(World& world, Options options, Swap what) {
  auto peer = simulatorAt(what.simulator);
  if (!peer) co_return complain(world, peer.error());
  HttpRequest request;
  request.method = "POST";
  request.target = "/swap";
  Json body{{"place", what.place}};
  if (what.gpu >= 0) body["gpu"] = what.gpu;
  request.body = body.dump();
  http::SendOptions sending;
  auto received = co_await world.transport.send(std::move(*peer), std::move(request), std::move(sending));
  if (!received) co_return complain(world, received.error());
  const auto done = parseJson(received->reply.body);
  if (!done) co_return complain(world, done.error());
  if (received->reply.status != 200)
    co_return complain(world, {Errc::Rejected, readString(*done, "detail").value_or("the simulator refused")});
  const auto manifest = readString(*done, "manifest");
  if (manifest)
    if (auto written = writeManifest(what.manifest, *manifest); !written)
      co_return complain(world, written.error());
  const auto was = textAt(*done, "was"), place = textAt(*done, "place");
  if (options.json())
    printJson(world, {{"place", place},
                      {"was", was},
                      {"serial", textAt(*done, "serial")},
                      {"manifest", manifest ? Json(what.manifest.string()) : Json()}});
  else if (manifest)
    world.out << fmt::format(
        "{} is gone from {}; {} is in its place. Now: zellige node retire {}; zellige import {}\n", was,
        place, textAt(*done, "serial"), was, what.manifest.string());
  else
    world.out << fmt::format("{} at {} has another GPU {}. Now: zellige run start {} qualify\n", was, place,
                             what.gpu, was);
  co_return 0;
}

}  // namespace zellige::cli
