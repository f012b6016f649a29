#include "controller/site/configuration.hpp"

#include <algorithm>

#include "controller/site/address.hpp"
#include "controller/site/fields.hpp"
#include "controller/site/site_reader.hpp"

namespace zellige {

template <>
struct EnumNames<log::Level> {
  static constexpr auto table = std::to_array<std::pair<log::Level, std::string_view>>(
      {{log::Level::Info, "info"},
       {log::Level::Warn, "warn"},
       {log::Level::Error, "error"},
       {log::Level::Off, "off"}});
};

namespace {

/// As no key must be given, such a file is a whole one.
bool isOnlyComments(std::string_view text) {
  bool comment = false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    comment = c == '#' || (comment && c != '\n');
    return comment || c == ' ' || c == '\n' || c == '\r';
  });
}

void readListen(const Fields& fields, std::string& listen) {
  const auto value = fields.find("listen");
  if (!value) return;
  listen = readText(*value, fields.problems());
  const auto endpoint = readEndpoint(listen);
  if (!listen.empty() && (!endpoint || endpoint->port == 0))
    fields.problems().add(
        value->spot(),
        fmt::format("{} is no numeric address with a port, like 0.0.0.0:8443 or [::]:8443", quote(listen)));
}

void readApi(Value value, Problems& problems, Configuration::Api& api) {
  const Fields fields(value, problems, "api", {"listen", "certificate", "key"});
  readListen(fields, api.listen);
  api.certificate = fields.textOr("certificate", api.certificate, Letters::Path);
  api.key = fields.textOr("key", api.key, Letters::Path);
  if (!fields.find("certificate") != !fields.find("key"))
    problems.add(fields.spot(), "certificate and key go together: both or none");
}

void readProvisioning(Value value, Problems& problems, Configuration::Provisioning& provisioning) {
  const Fields fields(value, problems, "provisioning", {"listen", "url"});
  readListen(fields, provisioning.listen);
  const auto url = fields.find("url");
  const auto listen = fields.find("listen");
  if (listen && !url)
    if (const auto why = whyNoMachineReaches(provisioning)) problems.add(listen->spot(), *why);
  if (!url) return;
  provisioning.url = readText(*url, problems);
  const std::string_view text = provisioning.url;
  const auto host = text.starts_with("http://")    ? text.substr(7)
                    : text.starts_with("https://") ? text.substr(8)
                                                   : "";
  if (!text.empty() && (host.empty() || host.find_first_of("/?#@ ") != std::string_view::npos))
    problems.add(url->spot(),
                 fmt::format("{} is no address like http://10.0.0.2:8480, without a path", quote(text)));
}

bool isPlace(const std::string& text) {
  const auto parts = std::count(text.begin(), text.end(), '/') + 1;
  return parts <= 4 && !text.starts_with('/') && !text.ends_with('/') && text.find("//") == std::string::npos;
}

void readLimits(Value value, Problems& problems, Configuration::Limits& limits) {
  const Fields fields(
      value, problems, "limits",
      {"uploads", "flashes_per_rack", "site_flashes", "image_streams", "bmc_connections", "power"});
  const auto number = [&](std::string_view key, int& target) {
    target = static_cast<int>(fields.wholeOr(key, target, 1, 1'000'000));
  };
  number("uploads", limits.uploads);
  number("flashes_per_rack", limits.flashesPerRack);
  number("site_flashes", limits.siteFlashes);
  number("image_streams", limits.imageStreams);
  number("bmc_connections", limits.bmcConnections);
  if (!fields.find("power")) return;
  Unique places(problems, "place");
  for (const auto item : fields.items("power")) {
    const Fields keys(item, problems, "a limit of power", {"place", "stress_watts", "watts_per_minute"});
    Configuration::Limits::Power power;
    power.place = keys.textOr("place", "");
    if (const auto place = keys.find("place"); place && !isPlace(power.place))
      problems.add(place->spot(), fmt::format("{} is no place like H1/R01", quote(power.place)));
    power.stressWatts = keys.whole("stress_watts", 1, 10'000'000'000);
    power.wattsPerMinute = keys.whole("watts_per_minute", 1, 10'000'000'000);
    places.add(power.place, item.spot());
    limits.power.push_back(std::move(power));
  }
}

void readEngine(Value value, Problems& problems, Configuration::Engine& engine) {
  const Fields fields(value, problems, "engine", {"patrol"});
  engine.patrol = fields.durationOr("patrol", engine.patrol, 10s, 10min);
}

void readRetention(Value value, Problems& problems, Configuration::Retention& retention) {
  const Fields fields(value, problems, "retention", {"events", "unlisted"});
  retention.events = fields.durationOr("events", retention.events, 24h, 24h * 36'500);
  retention.unlisted = fields.durationOr("unlisted", retention.unlisted, 2h, 24h * 36'500);
}

LeaseFile readLeaseFile(Value value, Problems& problems) {
  const Fields fields(value, problems, "a lease file", {"file", "format"});
  LeaseFile out;
  out.file = fields.text("file", Letters::Path);
  out.format = fields.name<LeaseFormat>("format", "a format of lease files");
  return out;
}

Circuit readCircuit(Value value, Problems& problems) {
  const Fields fields(value, problems, "a circuit", {"circuit", "place"});
  Circuit out{fields.text("circuit"), fields.text("place")};
  if (const auto place = fields.find("place"); place && !isPlace(out.place))
    problems.add(place->spot(), fmt::format("{} is no place like H1/R01/RK001/U10", quote(out.place)));
  return out;
}

}  // namespace

std::optional<std::string> whyNoMachineReaches(const Configuration::Provisioning& provisioning) {
  const auto endpoint = readEndpoint(provisioning.listen);
  if (!endpoint) return std::nullopt;
  if (endpoint->port == 0) return "port 0 is another one at every start, and machines would not find it";
  if (provisioning.url.empty() && endpoint->isEveryAddress())
    return "who listens on every address must also say at which one machines reach it: url";
  return std::nullopt;
}

Reading<Configuration> readConfiguration(std::string file, std::string_view text) {
  if (isOnlyComments(text)) return Configuration{};
  Source source(std::move(file), text);
  auto& problems = source.problems;
  if (!problems.none()) return problems.take();
  const Fields fields(
      source.document.root(), problems, "the configuration",
      {"data_dir", "api", "provisioning", "log", "limits", "engine", "retention", "leases", "circuits"});
  Configuration c;
  c.dataDir = fields.textOr("data_dir", c.dataDir, Letters::Path);
  if (const auto api = fields.find("api")) readApi(*api, problems, c.api);
  if (const auto provisioning = fields.find("provisioning"))
    readProvisioning(*provisioning, problems, c.provisioning);
  if (const auto log = fields.find("log")) {
    const Fields keys(*log, problems, "log", {"level"});
    c.logLevel = keys.name<log::Level>("level", "a log level");
  }
  if (const auto limits = fields.find("limits")) readLimits(*limits, problems, c.limits);
  if (const auto engine = fields.find("engine")) readEngine(*engine, problems, c.engine);
  if (const auto retention = fields.find("retention")) readRetention(*retention, problems, c.retention);
  if (fields.find("leases"))
    for (const auto file : fields.items("leases")) c.leases.push_back(readLeaseFile(file, problems));
  if (fields.find("circuits")) {
    Unique circuits(problems, "circuit");
    for (const auto item : fields.items("circuits")) {
      c.circuits.push_back(readCircuit(item, problems));
      circuits.add(c.circuits.back().circuit, item.spot());
    }
  }
  return source.give(std::move(c));
}

}  // namespace zellige
