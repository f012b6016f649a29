#include "web/api/provisioning.hpp"

#include <charconv>
#include <fmt/format.h>
#include <fstream>

#include "web/api/tokens.hpp"

namespace zellige::api {

namespace {

constexpr std::size_t kMostReportBytes = 1u
                                         << 20;  // as the protocol reads; a report of 72 GPUs is a few kilobytes
constexpr std::size_t kManifestsKept = 64;

/// One range of `size` bytes: [first, last]. nullopt: no (or no single) range asked for. length 0: outside.
struct Span {
  std::uint64_t offset = 0, length = 0;
};
std::optional<Span> rangeOf(const HttpRequest& request, std::uint64_t size) {
  auto text = request.headers.get("Range");
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit) || text.find(',') != std::string_view::npos) return std::nullopt;
  text.remove_prefix(unit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto parse = [](std::string_view digits, std::uint64_t& out) {
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return ec == std::errc{} && end == digits.data() + digits.size();
  };
  std::uint64_t first = 0, last = size == 0 ? 0 : size - 1;
  const auto from = text.substr(0, dash), to = text.substr(dash + 1);
  if (from.empty()) {
    std::uint64_t suffix = 0;
    if (!parse(to, suffix)) return std::nullopt;
    first = suffix >= size ? 0 : size - suffix;
  } else {
    if (!parse(from, first) || (!to.empty() && !parse(to, last))) return std::nullopt;
    if (!to.empty() && last < first) return std::nullopt;
  }
  if (first >= size) return Span{};
  return Span{first, std::min(last, size - 1) - first + 1};
}

HttpReply bytesReply(const HttpRequest& request, std::uint64_t size, Span& span) {
  HttpReply reply;
  reply.status = 200;
  reply.headers.set("Content-Type", "application/octet-stream");
  reply.headers.set("Accept-Ranges", "bytes");
  span = {0, size};
  if (const auto range = rangeOf(request, size)) {
    if (range->length == 0) {
      reply = problem(ProblemKind::RangeNotSatisfiable, fmt::format("there are {} bytes", size));
      reply.headers.set("Content-Range", fmt::format("bytes */{}", size));
      span = {};
      return reply;
    }
    span = *range;
    reply.status = 206;
    reply.headers.set("Content-Range",
                      fmt::format("bytes {}-{}/{}", span.offset, span.offset + span.length - 1, size));
  }
  return reply;
}

HttpReply notFound() { return problem(ProblemKind::NotFound, "nothing answers here"); }

HttpReply onlyWith(std::string_view methods) {
  auto reply = problem(ProblemKind::MethodNotAllowed, fmt::format("use one of: {}", methods));
  reply.headers.set("Allow", std::string(methods));
  return reply;
}

bool isRead(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

constexpr std::string_view kBoot = "/boot/", kMedia = "/deploy.iso", kImages = "/images/",
                           kPackages = "/packages/", kReport = "/agent/v1/report";

bool isMedia(std::string_view path) {
  return path.starts_with(kBoot) && path.ends_with(kMedia) && path.size() > kBoot.size() + kMedia.size();
}

/// A run may go on because of it. Mere progress is looked at when the run looks next.
bool saysNews(const ReportHead& before, const ReportHead& now) {
  return before.bootId != now.bootId || before.home != now.home || before.image != now.image ||
         before.imageDigest != now.imageDigest || before.burnInOrder != now.burnInOrder ||
         before.burnInFinished != now.burnInFinished;
}

}  // namespace

HttpReply inMemory(ProvisioningReply answer) {
  if (!answer.body) return std::move(answer.reply);
  std::ifstream in(answer.body->file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(answer.body->offset));
  answer.reply.body.resize(answer.body->length);
  if (!in.read(answer.reply.body.data(), static_cast<std::streamsize>(answer.body->length)))
    return notFound();
  return std::move(answer.reply);
}

std::filesystem::path manifestPath(const std::filesystem::path& image) {
  return image.string() + ".manifest.json";
}

std::string_view provisioningOperationOf(const HttpRequest& request) {
  const auto path = request.path();
  if (path == kReport) return request.method == "POST" ? "postReport" : "";
  if (!isRead(request)) return {};
  if (isMedia(path)) return "getBootMedia";
  if (path.starts_with(kPackages)) return "getPackage";
  if (path.starts_with(kImages))
    return path.find("/chunks/") == std::string_view::npos ? "getImageManifest" : "getImageChunk";
  return {};
}

Provisioning::Provisioning(Store& store, Engine& engine, Executor& executor, SecretBox box, std::string url)
    : store_(store), engine_(engine), executor_(executor), box_(std::move(box)), url_(std::move(url)) {}
Provisioning::~Provisioning() = default;

std::string Provisioning::token(const Node& node, std::string_view purpose) const {
  return issueToken(box_, node.serial, purpose);
}

Task<ProvisioningReply> Provisioning::handle(HttpRequest request, Caller) {
  const auto path = request.path();
  ProvisioningReply answer;
  if (path == kReport) {
    if (request.method == "POST")
      answer.reply = co_await report(std::move(request));
    else
      answer.reply = onlyWith("POST");
  } else if (isMedia(path)) {
    const auto token = path.substr(kBoot.size(), path.size() - kBoot.size() - kMedia.size());
    answer.reply = isRead(request) ? media(request, token) : onlyWith("GET, HEAD");
  } else if (path.starts_with(kPackages)) {
    if (isRead(request))
      answer = package(request, path.substr(kPackages.size()));
    else
      answer.reply = onlyWith("GET, HEAD");
  } else if (path.starts_with(kImages)) {
    if (isRead(request))
      answer = image(request, path.substr(kImages.size()));
    else
      answer.reply = onlyWith("GET, HEAD");
  } else {
    answer.reply = notFound();
  }
  if (!answer.reply.headers.has("Cache-Control")) answer.reply.headers.set("Cache-Control", "no-store");
  answer.reply.headers.set("X-Content-Type-Options", "nosniff");
  co_return answer;
}

std::optional<Node> Provisioning::nodeFor(std::string_view token, HttpReply& refusal) {
  const auto bearer = readToken(box_, token);
  if (!bearer) {
    refusal = problem(ProblemKind::SignIn,
                      "this token is not one of this site's; boot from the media that is inserted now");
    return std::nullopt;
  }
  const auto id = store_.nodeBySerial(bearer->serial);
  auto node = id ? store_.node(*id) : std::nullopt;
  bool holds = node && node->lifecycle != Lifecycle::Retired && node->lifecycle != Lifecycle::Unlisted;
  if (holds && bearer->purpose != "os") {
    const auto run = store_.unfinishedRunOf(node->id);
    holds = run && *run == bearer->bootRun();
  }
  if (holds) return node;
  refusal = problem(ProblemKind::Forbidden,
                    "this token holds no longer: its run has ended, or the node is retired");
  return std::nullopt;
}

HttpReply Provisioning::media(const HttpRequest& request, std::string_view token) {
  HttpReply refusal;
  if (!nodeFor(token, refusal)) return refusal;
  const auto bytes = encodeBootMedia({url_ + std::string(kReport), std::string(token)});
  Span span;
  auto reply = bytesReply(request, bytes.size(), span);
  if (reply.status < 300) reply.body = bytes.substr(span.offset, span.length);
  return reply;
}

// TOKEN/DIGEST/NAME, of a file in the content store; the name is for the machine that fetches it.
ProvisioningReply Provisioning::package(const HttpRequest& request, std::string_view rest) {
  ProvisioningReply answer;
  const auto token = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), token.size() + 1));
  const std::string digest{rest.substr(0, rest.find('/'))};
  if (!nodeFor(token, answer.reply)) return answer;
  const auto file = digest.size() == 64 ? store_.file(digest) : std::nullopt;
  if (!file) return {problem(ProblemKind::NotFound, "there is no such package"), {}};
  Span span;
  answer.reply = bytesReply(request, file->size, span);
  if (answer.reply.status < 300) answer.body = FileRange{store_.filePath(digest), span.offset, span.length};
  return answer;
}

Task<HttpReply> Provisioning::report(HttpRequest request) {
  constexpr std::string_view scheme = "Bearer ";
  const auto header = request.headers.get("Authorization");
  if (header.size() <= scheme.size() || !sameIgnoringCase(header.substr(0, scheme.size()), scheme))
    co_return problem(ProblemKind::SignIn,
                      "send the token of the boot media or of the seed as 'Authorization: Bearer …'");
  HttpReply refusal;
  const auto node = nodeFor(header.substr(scheme.size()), refusal);
  if (!node) co_return refusal;
  if (request.body.size() > kMostReportBytes)
    co_return problem(ProblemKind::TooLarge, "a report may have 1 MiB");
  auto said = agentReportFromJson(request.body);
  if (!said) co_return problem(ProblemKind::BadRequest, said.error().what);
  if (said->serial != node->serial)
    co_return problem(ProblemKind::Forbidden,
                      "this token belongs to another machine than the report is about");

  const auto before = store_.reportHead(node->id);
  const bool news = !before || saysNews(*before, headOf(*said, executor_.now()));
  Change change{executor_.now(), "agent", {}};
  PutReport put{node->id, std::move(*said), executor_.now()};
  change.ops.emplace_back(std::move(put));
  const auto stored = co_await store_.commit(std::move(change));
  if (!stored) co_return problem(stored.error());
  if (news) engine_.nudge(node->id);
  HttpReply reply;
  reply.status = 200;
  reply.headers.set("Content-Type", "application/json");
  reply.body = toJson(orderFor(*node));
  co_return reply;
}

// It has begun, or ended, what it was ordered. Who is only ready for it, with others, has not.
bool Provisioning::isAtIt(const Node& node, const AgentOrder& order) {
  const auto head = store_.reportHead(node.id);
  if (!head) return false;
  if (order.kind != OrderKind::BurnIn)
    return head->image == ImageState::Writing && head->imageDigest == order.imageDigest;
  if (head->burnInOrder != order.id) return false;
  return order.together.members.empty() || store_.report(node.id)->report.burnIn.begun;
}

Duration Provisioning::atRest(const Node& node) {
  const auto rack = store_.rack(std::string(node.place.rack()));
  const bool comesUp = rack && (rack->state == RackState::BringUp || rack->state == RackState::Degraded);
  return comesUp ? kAwaitedReports : kIdleReports;
}

// What heats a machine or writes its disk is ordered by the run that is at work. The order of a run that has ended stays
// in the row; an agent that boots weeks later must not be told it again. In a place that is disarmed nothing new begins,
// and what was begun goes on.
AgentOrder Provisioning::orderFor(const Node& node) {
  auto order = store_.order(node.id).value_or(AgentOrder{});
  const auto run = store_.unfinishedRunOf(node.id);
  if (order.kind == OrderKind::Wait) {
    order.reportEvery = run ? std::min(order.reportEvery, atRest(node)) : atRest(node);
    return order;
  }
  const bool isOfThisRun = run && order.id.starts_with(fmt::format("{}-", run->value));
  if (isOfThisRun && (store_.armed(node.place) || isAtIt(node, order))) return order;
  AgentOrder wait;
  wait.id = order.id;
  wait.reportEvery = run ? order.reportEvery : atRest(node);
  return wait;
}

std::shared_ptr<const ImageManifest> Provisioning::manifestOf(const std::string& digest) {
  if (const auto it = manifests_.find(digest); it != manifests_.end()) return it->second;
  const auto path = store_.filePath(digest);
  if (path.empty() || !store_.file(digest)) return nullptr;
  std::ifstream in(manifestPath(path), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto manifest = imageManifestFromJson(text);
  if (!manifest || manifest->digest != digest) return nullptr;
  if (manifests_.size() >= kManifestsKept) manifests_.clear();
  return manifests_[digest] = std::make_shared<const ImageManifest>(std::move(*manifest));
}

ProvisioningReply Provisioning::image(const HttpRequest& request, std::string_view rest) {
  ProvisioningReply answer;
  const auto cut = rest.find('/');
  const std::string digest{rest.substr(0, cut)};
  const auto what = cut == std::string_view::npos ? std::string_view{} : rest.substr(cut + 1);
  const auto manifest = digest.size() == 64 ? manifestOf(digest) : nullptr;
  if (!manifest) return {problem(ProblemKind::NotFound, "there is no such image"), {}};

  constexpr std::string_view chunks = "chunks/";
  std::uint64_t size = 0, offset = 0;
  std::string text, tag;
  if (what == "manifest.json") {
    text = toJson(*manifest);
    tag = digest;
  } else if (what.starts_with(chunks)) {
    std::uint64_t n = 0;
    const auto number = what.substr(chunks.size());
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), n);
    if (ec != std::errc{} || end != number.data() + number.size() || n >= manifest->chunkDigests.size())
      return {problem(ProblemKind::NotFound,
                      fmt::format("this image has {} chunks", manifest->chunkDigests.size())),
              {}};
    offset = n * manifest->chunkSize;
    size = std::min(manifest->chunkSize, manifest->size - offset);
    tag = manifest->chunkDigests[n];
  } else {
    return {notFound(), {}};
  }
  const auto quoted = fmt::format("\"{}\"", tag);
  Span span;
  if (request.headers.get("If-None-Match") == quoted) {
    answer.reply.status = 304;
  } else if (!text.empty()) {
    answer.reply.status = 200;
    answer.reply.headers.set("Content-Type", "application/json");
    answer.reply.body = text;
  } else {
    answer.reply = bytesReply(request, size, span);
    if (answer.reply.status < 300)
      answer.body = FileRange{store_.filePath(digest), offset + span.offset, span.length};
  }
  if (answer.reply.status < 400) {
    answer.reply.headers.set("ETag", quoted);
    answer.reply.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  }
  return answer;
}

}  // namespace zellige::api
