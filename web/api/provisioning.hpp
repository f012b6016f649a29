// What nodes and their BMCs may ask, on a listener of its own: boot media, the agent's report, images. Nothing else
// answers there. The contract is in controller/protocol/agent.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controller/base/http_message.hpp"
#include "controller/base/secret.hpp"
#include "controller/engine/engine.hpp"
#include "web/api/call.hpp"

namespace zellige::api {

/// Bytes of a file, to be sent as the body while they are read.
struct FileRange {
  std::filesystem::path file;
  std::uint64_t offset = 0, length = 0;
};

struct ProvisioningReply {
  HttpReply reply;                ///< whole, unless…
  std::optional<FileRange> body;  ///< …the body lies in a file
};
/// For those who cannot stream (the simulator): the body is read into the reply.
HttpReply inMemory(ProvisioningReply answer);

class Provisioning {
 public:
  /// `url`: how nodes reach this listener, "https://10.0.0.1:8444".
  Provisioning(Store& store, Engine& engine, Executor& executor, SecretBox box, std::string url);
  ~Provisioning();
  Provisioning(const Provisioning&) = delete;

  /// The reply to a HEAD request has the body that GET would have (the listener sends its length alone).
  Task<ProvisioningReply> handle(HttpRequest request, Caller caller);

  /// For Surroundings: a token that lets the bearer speak for this node.
  std::string token(const Node& node, std::string_view purpose) const;

 private:
  Task<HttpReply> report(HttpRequest request);
  HttpReply media(const HttpRequest& request, std::string_view token);
  ProvisioningReply package(const HttpRequest& request, std::string_view rest);
  ProvisioningReply image(const HttpRequest& request, std::string_view rest);
  /// The node that the token speaks for, or the refusal: 401 not ours, 403 not any more.
  std::optional<Node> nodeFor(std::string_view token, HttpReply& refusal);
  AgentOrder orderFor(const Node& node);
  bool isAtIt(const Node& node, const AgentOrder& order);
  Duration atRest(const Node& node);
  std::shared_ptr<const ImageManifest> manifestOf(const std::string& digest);

  Store& store_;
  Engine& engine_;
  Executor& executor_;
  SecretBox box_;
  std::string url_;
  std::map<std::string, std::shared_ptr<const ImageManifest>> manifests_;  // of images asked for, a few per site
};

/// The operationId that a request to this listener belongs to; empty: none.
std::string_view provisioningOperationOf(const HttpRequest& request);

/// Where the manifest of a stored image lies: beside it.
std::filesystem::path manifestPath(const std::filesystem::path& image);

}  // namespace zellige::api
