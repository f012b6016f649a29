#include "controller/protocol/agent.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace zellige {

namespace {

constexpr std::string_view kMediaMagic = "ZELLIGE-BOOT 1\n";
constexpr JsonLimits kLimits{.bytes = 1u << 20, .depth = 12, .values = 20'000};

std::string text(const Json& j, std::string_view path) { return readString(j, path).value_or(""); }
std::uint64_t number(const Json& j, std::string_view path) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, readInt(j, path).value_or(0)));
}
Error bad(std::string_view what) { return Error{Errc::BadReply, fmt::format("agent message: {}", what)}; }

template <class E>
Result<E> choice(const Json& j, std::string_view path) {
  const auto value = fromName<E>(text(j, path));
  if (!value) return bad(fmt::format("{} is missing or unknown", path));
  return *value;
}

std::vector<std::string> strings(const Json& j, std::string_view path) {
  std::vector<std::string> out;
  for (const auto& v : readArray(j, path))
    if (v.is_string()) out.push_back(v.get<std::string>());
  return out;
}

Json encode(const AgentInventory& inventory) {
  Json disks = Json::array();
  for (const auto& d : inventory.disks)
    disks.push_back({{"serial", d.serial}, {"model", d.model}, {"bytes", d.bytes}});
  return {{"system_serial", inventory.systemSerial}, {"cpus", inventory.cpus},
          {"memory_gib", inventory.memoryGiB},       {"gpu_serials", inventory.gpuSerials},
          {"nic_macs", inventory.nicMacs},           {"disks", disks}};
}

AgentInventory decodeInventory(const Json& j) {
  AgentInventory out;
  out.systemSerial = text(j, "system_serial");
  out.cpus = readInt(j, "cpus").value_or(0);
  out.memoryGiB = readInt(j, "memory_gib").value_or(0);
  out.gpuSerials = strings(j, "gpu_serials");
  out.nicMacs = strings(j, "nic_macs");
  for (const auto& d : readArray(j, "disks"))
    out.disks.push_back({text(d, "serial"), text(d, "model"), number(d, "bytes")});
  return out;
}

Json encode(const AgentBurnIn& burnIn) {
  Json results = Json::array();
  for (const auto& r : burnIn.results)
    results.push_back(
        {{"test", r.test}, {"outcome", nameOf(r.outcome)}, {"values", r.values}, {"detail", r.detail}});
  return {{"order_id", burnIn.orderId},
          {"begun", burnIn.begun},
          {"finished", burnIn.finished},
          {"results", results}};
}

Result<AgentBurnIn> decodeBurnIn(const Json& j) {
  AgentBurnIn out;
  out.orderId = text(j, "order_id");
  out.begun = readBool(j, "begun").value_or(false);
  out.finished = readBool(j, "finished").value_or(false);
  for (const auto& r : readArray(j, "results")) {
    const auto outcome = choice<TestOutcome>(r, "outcome");
    if (!outcome) return outcome.error();
    TestResult result{text(r, "test"), *outcome, {}, text(r, "detail")};
    if (const auto* values = at(r, "values"); values && values->is_object())
      for (const auto& [name, v] : values->items())
        if (v.is_number()) result.values.emplace(name, v.get<double>());
    out.results.push_back(std::move(result));
  }
  return out;
}

}  // namespace

std::string encodeBootMedia(const BootMedia& media) {
  return fmt::format("{}{}\n", kMediaMagic,
                     Json{{"report_url", media.reportUrl}, {"token", media.token}}.dump());
}

Result<BootMedia> decodeBootMedia(std::string_view head) {
  if (!head.starts_with(kMediaMagic)) return bad("this is no Zellige boot media");
  head.remove_prefix(kMediaMagic.size());
  const auto json = parseJson(head.substr(0, head.find('\n')), kLimits);
  if (!json) return json.error();
  BootMedia media{text(*json, "report_url"), text(*json, "token")};
  if (media.reportUrl.empty() || media.token.empty()) return bad("boot media without report_url or token");
  return media;
}

std::string toJson(const ImageManifest& m) {
  return Json{{"digest", m.digest}, {"size", m.size}, {"chunk_size", m.chunkSize}, {"chunks", m.chunkDigests}}
      .dump();
}

Result<ImageManifest> imageManifestFromJson(std::string_view body) {
  const auto json = parseJson(body, {.bytes = 64u << 20, .depth = 4, .values = 1'000'000});
  if (!json) return json.error();
  ImageManifest m{text(*json, "digest"), number(*json, "size"), number(*json, "chunk_size"),
                  strings(*json, "chunks")};
  const auto wanted = m.chunkSize == 0 ? 0 : (m.size + m.chunkSize - 1) / m.chunkSize;
  if (m.digest.size() != 64 || m.chunkSize == 0 || m.chunkDigests.size() != wanted)
    return bad("image manifest: digest, chunk_size or the number of chunks is wrong");
  return m;
}

std::string toJson(const AgentReport& r) {
  return Json{{"serial", r.serial},
              {"boot_id", r.bootId},
              {"home", nameOf(r.home)},
              {"sequence", r.sequence},
              {"inventory", encode(r.inventory)},
              {"image",
               {{"state", nameOf(r.image.state)},
                {"digest", r.image.digest},
                {"bytes_done", r.image.bytesDone},
                {"error", r.image.error}}},
              {"burn_in", encode(r.burnIn)}}
      .dump();
}

Result<AgentReport> agentReportFromJson(std::string_view body) {
  const auto json = parseJson(body, kLimits);
  if (!json) return json.error();
  AgentReport r;
  r.serial = text(*json, "serial");
  r.bootId = text(*json, "boot_id");
  if (r.serial.empty() || r.bootId.empty()) return bad("serial or boot_id is missing");
  const auto home = choice<AgentHome>(*json, "home");
  if (!home) return home.error();
  r.home = *home;
  r.sequence = readInt(*json, "sequence").value_or(0);
  if (const auto* inventory = at(*json, "inventory")) r.inventory = decodeInventory(*inventory);
  const auto state = choice<ImageState>(*json, "image/state");
  if (!state) return state.error();
  r.image = {*state, text(*json, "image/digest"), number(*json, "image/bytes_done"),
             text(*json, "image/error")};
  if (const auto* burnIn = at(*json, "burn_in")) {
    auto decoded = decodeBurnIn(*burnIn);
    if (!decoded) return decoded.error();
    r.burnIn = std::move(*decoded);
  }
  return r;
}

std::string toJson(const AgentOrder& o) {
  Json tests = Json::array();
  for (const auto& t : o.tests) tests.push_back({{"id", t.id}, {"duration_ms", t.duration.count()}});
  return Json{
      {"id", o.id},
      {"kind", nameOf(o.kind)},
      {"image_url", o.imageUrl},
      {"image_digest", o.imageDigest},
      {"seed", o.seed},
      {"tests", tests},
      {"together", {{"members", o.together.members}, {"begin", o.together.begin}}},
      {"stress",
       {{"watts", o.stress.watts}, {"ramp_ms", o.stress.ramp.count()}, {"lease_ms", o.stress.lease.count()}}},
      {"report_every_ms", o.reportEvery.count()}}
      .dump();
}

Result<AgentOrder> agentOrderFromJson(std::string_view body) {
  const auto json = parseJson(body, kLimits);
  if (!json) return json.error();
  AgentOrder o;
  o.id = text(*json, "id");
  const auto kind = choice<OrderKind>(*json, "kind");
  if (!kind) return kind.error();
  o.kind = *kind;
  o.imageUrl = text(*json, "image_url");
  o.imageDigest = text(*json, "image_digest");
  o.seed = text(*json, "seed");
  for (const auto& t : readArray(*json, "tests"))
    o.tests.push_back({text(t, "id"), Duration{static_cast<std::int64_t>(number(t, "duration_ms"))}});
  if (const auto* together = at(*json, "together"))
    o.together = {strings(*together, "members"), readBool(*together, "begin").value_or(false)};
  const auto duration = [&](const char* path) {
    return Duration{static_cast<std::int64_t>(number(*json, path))};
  };
  o.stress = {static_cast<std::int64_t>(number(*json, "stress/watts")), duration("stress/ramp_ms"),
              duration("stress/lease_ms")};
  o.reportEvery = duration("report_every_ms");
  if (o.reportEvery < 100ms) o.reportEvery = 100ms;
  return o;
}

}  // namespace zellige
