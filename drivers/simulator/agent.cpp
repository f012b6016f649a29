#include "drivers/simulator/agent.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace zellige::sim::agent {

namespace {

constexpr Duration kBackoffMin{1'000}, kBackoffMax{60'000};
constexpr int kFetchTries = 8;
constexpr std::uint64_t kSystemDiskBytes = 1'920'383'410'176;  // est: 1.92 TB M.2
constexpr std::uint64_t kDataDiskBytes = 3'840'755'982'336;    // est: 3.84 TB E1.S
constexpr int kDataDisks = 8;                                  // the recorded tray has 9 drives in all

void report(World& w, Machine& m);
void send(World& w, Machine& m);
void fetch(World& w, Machine& m);
void answered(World& w, Machine& m, const Result<HttpReply>& got);
void fetched(World& w, Machine& m, const Result<HttpReply>& got);

/// Runs `step` after `d` unless `slot` got a newer token by then.
using Slot = std::uint32_t Agent::*;
using Step = void (*)(World&, Machine&);

void afterToken(World& w, Machine& m, Slot slot, Duration d, Step step) {
  const auto token = (*m.agent).*slot;
  w.after(d, [&w, id = m.id, slot, token, step] {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (machine.agent && (*machine.agent).*slot == token) step(w, machine);
  });
}

void timer(World& w, Machine& m, Duration d, Step step) {
  m.agent->timerEpoch = ++m.calls;
  afterToken(w, m, &Agent::timerEpoch, d, step);
}

using Which = Call Agent::*;

void finish(World& w, Machine& m, Which which, const Result<HttpReply>& got) {
  ((*m.agent).*which).open = false;
  if (which == &Agent::reporting)
    answered(w, m, got);
  else
    fetched(w, m, got);
}

/// One timer per kind of call, however many calls there are.
void watch(World& w, Machine& m, Which which) {
  auto& call = (*m.agent).*which;
  if (call.watched) return;
  call.watched = true;
  w.after(call.deadline - w.now(), [&w, id = m.id, generation = m.agent->generation, which] {
    auto& machine = w.machines[static_cast<std::size_t>(id)];
    if (!machine.agent || machine.agent->generation != generation) return;
    auto& open = (*machine.agent).*which;
    open.watched = false;
    if (!open.open) return;
    if (w.now() < open.deadline) return watch(w, machine, which);
    finish(w, machine, which, Error{Errc::Timeout, "no answer", true});
  });
}

void call(World& w, Machine& m, Which which, std::string url, HttpRequest request) {
  auto& call = (*m.agent).*which;
  call.token = ++m.calls;
  call.open = true;
  call.deadline = w.now() + w.times().uplinkTimeout;
  watch(w, m, which);
  if (!w.uplink) return;
  w.uplink->send(std::move(url), std::move(request),
                 w.whileAlive([&w, id = m.id, which, token = call.token](Result<HttpReply> got) {
                   auto& machine = w.machines[static_cast<std::size_t>(id)];
                   if (!machine.agent) return;
                   const auto& open = (*machine.agent).*which;
                   if (open.open && open.token == token) finish(w, machine, which, got);
                 }));
}

AgentInventory inventory(const World& w, const Machine& m) {
  const auto identity = w.identity(m);
  AgentInventory out;
  out.systemSerial = identity.serial();
  out.cpus = kCpus;
  out.memoryGiB = kMemoryGiB;
  for (int gpu = 0; gpu < kGpus; ++gpu)
    if (w.missingGpu(m) != gpu) out.gpuSerials.push_back(w.gpuSerial(m, gpu));
  for (int nic = 0; nic < kNics + kDpus; ++nic) out.nicMacs.push_back(identity.nicMac(nic));
  out.disks.push_back({identity.diskSerial(0), "M.2 NVMe", kSystemDiskBytes});
  for (int disk = 1; disk <= kDataDisks; ++disk)
    out.disks.push_back({identity.diskSerial(disk), "E1.S NVMe", kDataDiskBytes});
  return out;
}

// --- Writing the image

void writeFailed(World& w, Machine& m, std::string why) {
  auto& a = *m.agent;
  a.image.state = ImageState::Failed;
  a.image.error = std::move(why);
  a.fetchEpoch = ++m.calls;
  a.fetching.open = false;
  m.diskState = ImageState::None;
  m.diskDigest = 0;
  w.end(m, Work::Write);
  changed(w, m);
}

void writeDone(World& w, Machine& m) {
  auto& a = *m.agent;
  if (a.whole && a.whole->hex() != a.manifest->digest)
    return writeFailed(w, m, "the whole image has another digest");
  w.images.prove(*a.manifest);
  a.image.state = ImageState::Verified;
  a.image.bytesDone = a.manifest->size;
  a.whole.reset();
  a.manifest.reset();
  std::string().swap(a.imageUrl);
  m.diskState = ImageState::Verified;
  m.seed = std::exchange(a.nextSeed, {});
  w.end(m, Work::Write);
  changed(w, m);
}

void takeManifest(World& w, Machine& m, const std::string& body) {
  auto& a = *m.agent;
  auto manifest = imageManifestFromJson(body);
  if (!manifest) return writeFailed(w, m, manifest.error().what);
  if (manifest->digest != a.image.digest) return writeFailed(w, m, "the manifest is of another image");
  if (!w.images.proven(*manifest)) a.whole = std::make_unique<Sha256>();
  a.manifest = w.images.share(std::move(*manifest));
  fetch(w, m);
}

void takeChunk(World& w, Machine& m, const std::string& body) {
  auto& a = *m.agent;
  const auto n = static_cast<std::size_t>(a.nextChunk);
  if (!w.images.matches(a.manifest->chunkDigests[n], body))
    return writeFailed(w, m, fmt::format("chunk {} has another digest than the manifest says", n));
  if (a.whole) a.whole->add(body);
  a.image.bytesDone += body.size();
  ++a.nextChunk;
  fetch(w, m);
}

void fetched(World& w, Machine& m, const Result<HttpReply>& got) {
  auto& a = *m.agent;
  if (got && got->status == 200) {
    a.fetchTries = 0;
    return a.manifest ? takeChunk(w, m, got->body) : takeManifest(w, m, got->body);
  }
  if (++a.fetchTries == kFetchTries)
    return writeFailed(w, m, got ? fmt::format("the image server answers {}", got->status) : got.error().what);
  a.fetchEpoch = ++m.calls;
  afterToken(w, m, &Agent::fetchEpoch, std::min(kBackoffMax, kBackoffMin * (1 << a.fetchTries)), fetch);
}

void fetch(World& w, Machine& m) {
  auto& a = *m.agent;
  if (a.manifest && a.nextChunk == a.manifest->chunkDigests.size()) {
    // Everything is there; the disk takes its own time.
    a.fetchEpoch = ++m.calls;
    const auto left = std::max(Duration{0}, a.writeEnd - w.now());
    return afterToken(w, m, &Agent::fetchEpoch, left, writeDone);
  }
  auto url = a.manifest ? fmt::format("{}/chunks/{}", a.imageUrl, a.nextChunk) : a.imageUrl + "/manifest.json";
  call(w, m, &Agent::fetching, std::move(url), HttpRequest{});
}

std::string whyDuplicate(const World& w, const Machine& m, const AgentOrder& order) {
  if (m.diskDigest == 0 || w.strings.text(m.diskDigest) != order.imageDigest) return {};
  if (m.diskState == ImageState::Verified) return "this image is on the disk, verified";
  if (m.diskState == ImageState::Writing) return "this image is being written";
  return {};
}

void writeImage(World& w, Machine& m, const AgentOrder& order) {
  auto& a = *m.agent;
  const auto hash = std::hash<std::string>{}(order.id);
  const bool repeated = a.orderId == order.id;
  auto why = m.delivered.imageOrder == hash ? std::string() : whyDuplicate(w, m, order);
  const bool there = m.diskState != ImageState::None && m.diskDigest != 0 &&
                     w.strings.text(m.diskDigest) == order.imageDigest;
  if (!repeated && (m.delivered.imageOrder != hash || !there))
    w.record(m, ActKind::ImageWrite, "system_disk", order.imageDigest, std::move(why));
  m.delivered.imageOrder = hash;
  if (repeated) return;
  a.orderId = order.id;
  if (there) {  // done already, or under way: only the seed may be new
    (m.diskState == ImageState::Verified ? m.seed : a.nextSeed) = order.seed;
    return;
  }
  if (a.home == AgentHome::Os) {
    a.image.state = ImageState::Failed;
    a.image.error = "the disk of the running system cannot be written";
    a.changed = true;
    return;
  }
  a.image = {ImageState::Writing, order.imageDigest, 0, {}};
  a.imageUrl = order.imageUrl;
  a.nextSeed = order.seed;
  a.manifest.reset();
  a.whole.reset();
  a.nextChunk = 0;
  a.fetchTries = 0;
  a.writeEnd = w.now() + w.spread(m, w.times().imageWrite);
  m.diskDigest = w.strings.id(order.imageDigest);
  m.diskState = ImageState::Writing;
  m.seed.clear();
  w.begin(m, Work::Write);
  a.changed = true;
  fetch(w, m);
}

// --- Reporting

void answered(World& w, Machine& m, const Result<HttpReply>& got) {
  auto& a = *m.agent;
  auto order = got && got->status == 200 ? agentOrderFromJson(got->body)
                                         : Result<AgentOrder>(Error{Errc::BadReply, "no good answer"});
  if (!order) {
    a.backoff = std::clamp(a.backoff * 2, kBackoffMin, kBackoffMax);
    return timer(w, m, a.backoff, send);
  }
  std::string().swap(a.unanswered);  // gives the memory back
  a.backoff = Duration{0};
  a.reportEvery = order->reportEvery;
  timer(w, m, a.reportEvery, report);
  switch (order->kind) {
    case OrderKind::Wait: break;
    case OrderKind::WriteImage: writeImage(w, m, *order); break;
    case OrderKind::BurnIn: stress::obey(w, m, *order); break;
  }
  if (m.agent->changed) changed(w, m);
}

void send(World& w, Machine& m) {
  auto& a = *m.agent;
  HttpRequest request{"POST", {}, {}, a.unanswered};
  request.headers.add("Authorization", "Bearer " + a.media.token);
  request.headers.add("Content-Type", "application/json");
  call(w, m, &Agent::reporting, a.media.reportUrl, std::move(request));
}

void report(World& w, Machine& m) {
  auto& a = *m.agent;
  if (a.reporting.open || !a.unanswered.empty()) return;  // the answer, or its retry, comes first
  AgentReport out;
  out.serial = w.identity(m).serial();
  out.bootId = w.identity(m).hex(fmt::format("boot {}", m.boots), 16);
  out.home = a.home;
  out.sequence = ++a.sequence;
  out.inventory = inventory(w, m);
  out.image = a.image;
  out.burnIn = stress::soFar(w, m);
  a.unanswered = toJson(out);
  a.changed = false;
  a.timerEpoch = ++m.calls;
  send(w, m);
}

}  // namespace

bool load(World& w, Machine& m, AgentHome home, std::string_view head) {
  auto media = decodeBootMedia(head);
  if (!media) {
    m.agent.reset();
    return false;
  }
  m.agent = std::make_unique<Agent>();
  m.agent->generation = ++m.calls;
  m.agent->home = home;
  m.agent->media = std::move(*media);
  if (m.diskState == ImageState::Verified) {
    m.agent->image.state = ImageState::Verified;
    m.agent->image.digest = std::string(w.strings.text(m.diskDigest));
  }
  return true;
}

void start(World& w, Machine& m) { report(w, m); }

void changed(World& w, Machine& m) {
  m.agent->changed = true;
  if (!m.agent->reporting.open && m.agent->unanswered.empty()) report(w, m);
}

void stop(World& w, Machine& m) {
  w.power.cut(m.id, w.now());
  m.agent.reset();
  w.end(m, Work::Write);
  w.end(m, Work::BurnIn);
}

}  // namespace zellige::sim::agent
