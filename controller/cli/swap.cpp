// Playing the technician on simulated machines.
#include <charconv>
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
  const auto* end = text.data() + text.size();
  bool good = colon != std::string::npos && text.starts_with("127.");
  if (good) {
    const auto [stop, wrong] = std::from_chars(text.data() + colon + 1, end, peer.port);
    good = wrong == std::errc{} && stop == end && peer.port > 0;
  }
  if (!good)
    return Error{
        Errc::Invalid,
        fmt::format("'{}' is no IP:PORT on loopback; give the one of zellige simulator --control", text)};
  peer.address = text.substr(0, colon);
  peer.tls = false;
  return peer;
}

/// A new file for its owner's eyes, before anything is swapped: it is to hold the only copy of a factory password.
Result<std::ofstream> newManifest(const std::filesystem::path& file) {
  std::error_code failed;
  if (std::filesystem::exists(file, failed))
    return Error{Errc::Invalid, fmt::format("{} is there already, perhaps with a password that nothing else "
                                            "knows; import or remove it, or name another with --manifest",
                                            file.string())};
  std::ofstream out(file, std::ios::binary);
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                               failed);
  if (failed || !out) return Error{Errc::Invalid, fmt::format("cannot write {}", file.string())};
  return out;
}

Task<Result<Json>> askForSwap(World& world, Swap what) {
  auto peer = simulatorAt(what.simulator);
  if (!peer) co_return peer.error();
  HttpRequest request;
  request.method = "POST";
  request.target = "/swap";
  Json body{{"place", what.place}};
  if (what.gpu >= 0) body["gpu"] = what.gpu;
  request.body = body.dump();
  http::SendOptions sending;
  auto received = co_await world.transport.send(std::move(*peer), std::move(request), std::move(sending));
  if (!received) co_return received.error();
  auto done = parseJson(received->reply.body);
  if (done && received->reply.status != 200)
    co_return Error{Errc::Rejected, readString(*done, "detail").value_or("the simulator refused")};
  co_return done;
}

}  // namespace

Task<int> swapSimulated(World& world, Options options, Swap what) {
  std::ofstream file;
  const bool whole = what.gpu < 0;
  if (whole) {
    auto opened = newManifest(what.manifest);
    if (!opened) co_return complain(world, opened.error());
    file = std::move(*opened);
  }
  const auto done = co_await askForSwap(world, what);
  if (!done) {
    std::error_code ignored;
    if (whole) std::filesystem::remove(what.manifest, ignored);
    co_return complain(world, done.error());
  }
  const auto manifest = readString(*done, "manifest");
  if (manifest) file << *manifest << std::flush;
  if (manifest && !file)
    co_return complain(world, {Errc::Invalid, fmt::format("cannot write {}", what.manifest.string())});
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
