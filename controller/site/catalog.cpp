// Readers of SKU, baseline, plan and profile.
#include <algorithm>

#include "controller/site/address.hpp"
#include "controller/site/site_reader.hpp"

namespace zellige {

namespace {

/// Longest test that a plan may ask for: four weeks.
constexpr std::int64_t longestTestMinutes = 4 * 7 * 24 * 60;

/// The digest of the package, which is what the model keeps.
std::string readPackage(Value value, Problems& problems, Mentions& mentions) {
  const Fields fields(value, problems, "a package", {"file", "sha256"});
  auto digest = fields.sha256("sha256");
  const auto path = readInnerPath(fields, "file");
  if (const auto at = fields.find("file")) mentions.add(Mention::Of::Package, path, digest, at->spot());
  return digest;
}

/// An inventory id, or a prefix of one that ends in '*'.
std::string readMatch(const Fields& fields) {
  auto match = fields.text("match");
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  const auto end = match.ends_with('*') ? match.end() - 1 : match.end();
  if (!match.empty() && !std::all_of(match.begin(), end, fits))
    fields.problems().add(
        fields.find("match")->spot(),
        fmt::format("{} is no inventory id, nor the beginning of one with '*' at its end", quote(match)));
  return match;
}

std::vector<std::string> readTargets(const Fields& fields) {
  std::vector<std::string> targets;
  for (const auto item : fields.items("targets")) {
    targets.push_back(readText(item, fields.problems()));
    const auto& target = targets.back();
    const bool component = target.size() <= 32 && std::all_of(target.begin(), target.end(), [](char c) {
                             return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                           });
    if (!target.empty() && !component && !target.starts_with("/redfish/"))
      fields.problems().add(item.spot(),
                            fmt::format("{} is neither a Redfish URI, which begins with /redfish/, nor a "
                                        "component of a switch tray, as BMC, CPLD1 or NVOS",
                                        quote(target)));
  }
  return targets;
}

Baseline::Entry readEntry(Value value, Problems& problems, Mentions& mentions, Unique& ids, Unique& matches) {
  const Fields fields(value, problems, "an entry",
                      {"id", "package", "targets", "components", "activation", "force"});
  Baseline::Entry entry;
  entry.id = fields.text("id", Letters::Id);
  if (const auto id = fields.find("id")) ids.add(entry.id, id->spot());
  if (const auto package = fields.need("package"))
    entry.packageDigest = readPackage(*package, problems, mentions);
  entry.targets = readTargets(fields);
  for (const auto item : fields.items("components", "an entry without components is never done")) {
    const Fields component(item, problems, "a component", {"match", "version"});
    entry.components.push_back({readMatch(component), component.text("version")});
    if (const auto match = component.find("match")) matches.add(entry.components.back().match, match->spot());
    if (const auto version = component.find("version"))
      mentions.add(Mention::Of::Version, entry.components.back().version, entry.packageDigest,
                   version->spot());
  }
  entry.activation = fields.name<Activation>("activation", "an activation");
  entry.force = fields.flagOr("force", false);
  return entry;
}

Plan::Limit readLimit(Value value, Problems& problems) {
  const Fields fields(value, problems, "a limit", {"min", "max"});
  Plan::Limit limit;
  if (const auto min = fields.find("min")) limit.min = readReal(*min, problems);
  if (const auto max = fields.find("max")) limit.max = readReal(*max, problems);
  if (value.kind() == Document::Kind::Map && !limit.min && !limit.max)
    problems.add(value.spot(), "a limit needs min, max or both");
  if (limit.min && limit.max && *limit.min > *limit.max)
    problems.add(value.spot(), fmt::format("min {} is above max {}", *limit.min, *limit.max));
  return limit;
}

Duration readTestTime(const Fields& fields) {
  const auto minutes = fields.find("minutes"), seconds = fields.find("seconds");
  if (!minutes == !seconds) {
    fields.problems().add(fields.spot(), "a test needs either minutes or seconds");
    return Duration{0};
  }
  if (minutes) return std::chrono::minutes(readWhole(*minutes, fields.problems(), 1, longestTestMinutes));
  return Seconds(readWhole(*seconds, fields.problems(), 1, longestTestMinutes * 60));
}

Plan::Test readTest(Value value, Problems& problems, Unique& ids) {
  const Fields fields(value, problems, "a test",
                      {"id", "minutes", "seconds", "required", "together", "of", "limits"});
  Plan::Test test;
  test.id = fields.text("id", Letters::Id);
  if (const auto id = fields.find("id")) ids.add(test.id, id->spot());
  if (value.kind() == Document::Kind::Map) test.duration = readTestTime(fields);
  test.required = fields.flagOr("required", false);
  test.together = fields.flagOr("together", false);
  if (fields.find("of")) {
    Unique kinds(problems, "kind of part");
    for (const auto item : fields.items("of", "a test of no part proves nothing")) {
      test.of.push_back(readName<ComponentKind>(item, problems, "a kind of part"));
      kinds.add(std::string(item.text()), item.spot());
    }
  }
  const auto limits = fields.find("limits");
  if (!limits) return test;
  if (limits->kind() != Document::Kind::Map) {
    problems.add(limits->spot(), "limits must be a map of value names");
    return test;
  }
  for (auto it = limits->begin(); it != limits->end(); ++it) {
    const auto name = readText(*it, problems, Letters::Id);
    test.limits.emplace(name, readLimit(*++it, problems));
  }
  return test;
}

BmcSettings readSettings(Value value, Problems& problems) {
  const Fields fields(value, problems, "settings", {"ntp", "syslog", "power_restore_policy"});
  BmcSettings settings;
  const auto host = [&](Value at) {
    const auto text = readText(at, problems);
    auto result = canonicalHost(text);
    if (!result && !text.empty())
      problems.add(at.spot(), fmt::format("{} is neither an address nor a host name", quote(text)));
    return result.value_or("");
  };
  if (fields.find("ntp"))
    for (const auto server : fields.items("ntp")) settings.ntp.push_back(host(server));
  if (const auto syslog = fields.find("syslog")) {
    const Fields target(*syslog, problems, "syslog", {"address", "port"});
    if (const auto address = target.need("address")) settings.syslogAddress = host(*address);
    settings.syslogPort = static_cast<int>(target.wholeOr("port", 514, 1, 65535));
  }
  if (const auto policy = fields.find("power_restore_policy")) {
    static const std::vector<std::string_view> known{"AlwaysOn", "AlwaysOff", "LastState"};
    settings.powerRestorePolicy = std::string(policy->text());
    if (std::find(known.begin(), known.end(), policy->text()) == known.end())
      refuseWord(*policy, problems, "a power restore policy", known);
  }
  return settings;
}

}  // namespace

Sku readSku(Value root, Problems& problems) {
  const Fields fields(root, problems, "a SKU", {"sku", "kind", "memory_gib", "stress_watts", "components"});
  Sku sku;
  sku.name = fields.text("sku", Letters::Name);
  sku.kind = fields.name<NodeKind>("kind", "a kind of node");
  sku.memoryGiB = fields.wholeOr("memory_gib", 0, 0, 1 << 20);
  sku.stressWatts = fields.wholeOr("stress_watts", 0, 0, 1'000'000);
  Unique lines(problems, "component");
  for (const auto item : fields.items("components")) {
    const Fields component(item, problems, "a component", {"kind", "count", "model"});
    Sku::Line line{component.name<ComponentKind>("kind", "a kind of component"),
                   static_cast<int>(component.whole("count", 1, 1024)), component.textOr("model", "")};
    const auto kind = component.find("kind");  // as written: a wrong one must not pass for another
    if (kind)
      lines.add(fmt::format("{}{}{}", kind->text(), line.model.empty() ? "" : " ", line.model), item.spot());
    sku.components.push_back(std::move(line));
  }
  return sku;
}

Baseline readBaseline(Value root, Problems& problems, SiteFile& file) {
  const Fields fields(root, problems, "a baseline", {"baseline", "entries"});
  Mentions mentions(problems, file);
  Baseline baseline;
  baseline.name = fields.text("baseline", Letters::Name);
  Unique ids(problems, "entry id"), matches(problems, "component");
  for (const auto item : fields.items("entries", "a baseline without entries wants nothing"))
    baseline.entries.push_back(readEntry(item, problems, mentions, ids, matches));
  return baseline;
}

Plan readPlan(Value root, Problems& problems) {
  const Fields fields(root, problems, "a plan", {"plan", "tests"});
  Plan plan;
  plan.name = fields.text("plan", Letters::Name);
  Unique ids(problems, "test id");
  for (const auto item : fields.items("tests", "a plan without tests proves nothing"))
    plan.tests.push_back(readTest(item, problems, ids));
  return plan;
}

Profile readProfile(Value root, Problems& problems, SiteFile& file) {
  const Fields fields(root, problems, "a profile",
                      {"profile", "sku", "baseline", "plan", "image", "settings"});
  Mentions mentions(problems, file);
  Profile profile;
  profile.name = fields.text("profile", Letters::Name);
  profile.sku = fields.text("sku", Letters::Name);
  if (const auto sku = fields.find("sku")) mentions.add(Mention::Of::Sku, profile.sku, {}, sku->spot());
  if (const auto baseline = fields.find("baseline")) {
    profile.baseline = readText(*baseline, problems, Letters::Name);
    mentions.add(Mention::Of::Baseline, profile.baseline, {}, baseline->spot());
  }
  if (const auto plan = fields.find("plan")) {
    profile.plan = readText(*plan, problems, Letters::Name);
    mentions.add(Mention::Of::Plan, profile.plan, {}, plan->spot());
  }
  if (const auto value = fields.find("image")) {
    const Fields image(*value, problems, "an image", {"name", "file", "sha256"});
    profile.imageName = image.text("name", Letters::Name);
    profile.imageDigest = image.sha256("sha256");
    const auto path = readInnerPath(image, "file");
    if (const auto at = image.find("file"))
      mentions.add(Mention::Of::Image, path, profile.imageDigest, at->spot());
  }
  if (const auto settings = fields.find("settings")) profile.settings = readSettings(*settings, problems);
  return profile;
}

}  // namespace zellige
