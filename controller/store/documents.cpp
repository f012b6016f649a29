#include "controller/store/documents.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "controller/base/digest.hpp"
#include "controller/store/failure.hpp"

namespace zellige {

namespace {

template <class E>
E choice(const Json& j, const char* key) {
  const auto value = fromName<E>(j.at(key).get<std::string>());
  if (!value) throw StoreFailure("a stored document names an unknown " + std::string(key));
  return *value;
}

/// Missing keys, wrong types: a document that another version wrote, or damage.
template <class F>
auto reading(const std::string& document, F&& read) {
  const auto json = readStored(document);
  try {
    return read(json);
  } catch (const nlohmann::json::exception& e) {
    throw StoreFailure(std::string("a stored document cannot be read: ") + e.what());
  }
}

Json encode(const Sku& sku) {
  Json lines = Json::array();
  for (const auto& l : sku.components)
    lines.push_back({{"kind", nameOf(l.kind)}, {"count", l.count}, {"model", l.model}});
  Json out{
      {"name", sku.name}, {"kind", nameOf(sku.kind)}, {"memory_gib", sku.memoryGiB}, {"components", lines}};
  if (sku.stressWatts > 0) out["stress_watts"] = sku.stressWatts;  // older documents keep their digest
  return out;
}

Sku decodeSku(const Json& j) {
  Sku sku;
  j.at("name").get_to(sku.name);
  sku.kind = choice<NodeKind>(j, "kind");
  j.at("memory_gib").get_to(sku.memoryGiB);
  sku.stressWatts = j.value("stress_watts", std::int64_t{0});
  for (const auto& l : j.at("components"))
    sku.components.push_back(
        {choice<ComponentKind>(l, "kind"), l.at("count").get<int>(), l.at("model").get<std::string>()});
  return sku;
}

Json encode(const Baseline& baseline) {
  Json entries = Json::array();
  for (const auto& e : baseline.entries) {
    Json components = Json::array();
    for (const auto& c : e.components) components.push_back({{"match", c.match}, {"version", c.version}});
    entries.push_back({{"id", e.id},
                       {"package", e.packageDigest},
                       {"targets", e.targets},
                       {"components", components},
                       {"activation", nameOf(e.activation)},
                       {"force", e.force}});
  }
  return {{"name", baseline.name}, {"entries", entries}};
}

Baseline decodeBaseline(const Json& j) {
  Baseline baseline;
  j.at("name").get_to(baseline.name);
  for (const auto& e : j.at("entries")) {
    Baseline::Entry entry;
    e.at("id").get_to(entry.id);
    e.at("package").get_to(entry.packageDigest);
    e.at("targets").get_to(entry.targets);
    for (const auto& c : e.at("components"))
      entry.components.push_back({c.at("match").get<std::string>(), c.at("version").get<std::string>()});
    entry.activation = choice<Activation>(e, "activation");
    e.at("force").get_to(entry.force);
    baseline.entries.push_back(std::move(entry));
  }
  return baseline;
}

Json encode(const Plan& plan) {
  Json tests = Json::array();
  for (const auto& t : plan.tests) {
    Json limits = Json::object();
    for (const auto& [name, limit] : t.limits) {
      auto& out = limits[name] = Json::object();
      if (limit.min) out["min"] = *limit.min;
      if (limit.max) out["max"] = *limit.max;
    }
    tests.push_back(
        {{"id", t.id}, {"duration_ms", t.duration.count()}, {"required", t.required}, {"limits", limits}});
    if (t.together) tests.back()["together"] = true;
    for (const auto kind : t.of) tests.back()["of"].push_back(nameOf(kind));
  }
  return {{"name", plan.name}, {"tests", tests}};
}

Plan decodePlan(const Json& j) {
  Plan plan;
  j.at("name").get_to(plan.name);
  for (const auto& t : j.at("tests")) {
    Plan::Test test;
    t.at("id").get_to(test.id);
    test.duration = Duration{t.at("duration_ms").get<std::int64_t>()};
    t.at("required").get_to(test.required);
    test.together = t.value("together", false);
    if (t.contains("of"))
      for (const auto& kind : t.at("of"))
        test.of.push_back(*fromName<ComponentKind>(kind.get<std::string>()));
    for (const auto& [name, l] : t.at("limits").items()) {
      Plan::Limit limit;
      if (l.contains("min")) limit.min = l.at("min").get<double>();
      if (l.contains("max")) limit.max = l.at("max").get<double>();
      test.limits.emplace(name, limit);
    }
    plan.tests.push_back(std::move(test));
  }
  return plan;
}

Json encode(const Profile& p) {
  return {{"name", p.name},
          {"sku", p.sku},
          {"baseline", p.baseline},
          {"plan", p.plan},
          {"image_name", p.imageName},
          {"image_digest", p.imageDigest},
          {"settings",
           {{"ntp", p.settings.ntp},
            {"syslog_address", p.settings.syslogAddress},
            {"syslog_port", p.settings.syslogPort},
            {"power_restore_policy", p.settings.powerRestorePolicy}}}};
}

Profile decodeProfile(const Json& j) {
  Profile p;
  j.at("name").get_to(p.name);
  j.at("sku").get_to(p.sku);
  j.at("baseline").get_to(p.baseline);
  j.at("plan").get_to(p.plan);
  j.at("image_name").get_to(p.imageName);
  j.at("image_digest").get_to(p.imageDigest);
  const auto& s = j.at("settings");
  s.at("ntp").get_to(p.settings.ntp);
  s.at("syslog_address").get_to(p.settings.syslogAddress);
  s.at("syslog_port").get_to(p.settings.syslogPort);
  s.at("power_restore_policy").get_to(p.settings.powerRestorePolicy);
  return p;
}

Json encode(const Recipe& r) {
  Json members = Json::object(), stages = Json::array();
  for (const auto& [kind, count] : r.members) members[std::string(nameOf(kind))] = count;
  for (const auto& s : r.stages) {
    Json kinds = Json::array();
    for (const auto kind : s.of) kinds.push_back(nameOf(kind));
    stages.push_back({{"id", s.id}, {"workflow", s.workflow}, {"of", kinds}, {"after", s.after}});
    if (s.atLeast) stages.back()["at_least"] = *s.atLeast;
  }
  return {{"name", r.name}, {"members", members}, {"stages", stages}};
}

NodeKind kindNamed(const std::string& name) {
  const auto kind = fromName<NodeKind>(name);
  if (!kind) throw StoreFailure("a stored recipe names an unknown kind of node");
  return *kind;
}

Recipe decodeRecipe(const Json& j) {
  Recipe recipe;
  j.at("name").get_to(recipe.name);
  for (const auto& [name, count] : j.at("members").items())
    recipe.members[kindNamed(name)] = count.get<int>();
  for (const auto& s : j.at("stages")) {
    Recipe::Stage stage;
    s.at("id").get_to(stage.id);
    s.at("workflow").get_to(stage.workflow);
    for (const auto& kind : s.at("of")) stage.of.push_back(kindNamed(kind.get<std::string>()));
    s.at("after").get_to(stage.after);
    if (s.contains("at_least")) stage.atLeast = s.at("at_least").get<int>();
    recipe.stages.push_back(std::move(stage));
  }
  return recipe;
}

}  // namespace

void appendQuoted(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (plain)
    out.append(1, '"').append(text).append(1, '"');
  else
    out += canonical(Json(text));
}

std::string canonical(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json readStored(const std::string& text) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    throw StoreFailure("the database holds JSON that cannot be read: restore the last backup");
  return json;
}

std::string toDocument(const Sku& sku) { return canonical(encode(sku)); }
std::string toDocument(const Baseline& baseline) { return canonical(encode(baseline)); }
std::string toDocument(const Plan& plan) { return canonical(encode(plan)); }
std::string toDocument(const Profile& profile) { return canonical(encode(profile)); }
std::string toDocument(const Recipe& recipe) { return canonical(encode(recipe)); }
Sku readSku(const std::string& document) { return reading(document, decodeSku); }
Baseline readBaseline(const std::string& document) { return reading(document, decodeBaseline); }
Plan readPlan(const std::string& document) { return reading(document, decodePlan); }
Profile readProfile(const std::string& document) { return reading(document, decodeProfile); }
Recipe readRecipe(const std::string& document) { return reading(document, decodeRecipe); }

std::string toDocument(const Target& t) {
  return canonical({{"profile", encode(t.profile)},
                    {"sku", encode(t.sku)},
                    {"baseline", encode(t.baseline)},
                    {"plan", encode(t.plan)}});
}

Target readTarget(const std::string& document) {
  auto target = reading(document, [](const Json& j) {
    return Target{"", decodeProfile(j.at("profile")), decodeSku(j.at("sku")),
                  decodeBaseline(j.at("baseline")), decodePlan(j.at("plan"))};
  });
  target.digest = sha256Hex(document);
  return target;
}

std::string digestOf(const Inventory& inventory) {
  Sha256 hash;
  // Lengths go first, so that no two inventories read alike.
  const auto add = [&hash](std::string_view text) {
    hash.add(std::to_string(text.size()));
    hash.add(":");
    hash.add(text);
  };
  for (const auto& text : {inventory.serial, inventory.manufacturer, inventory.model}) add(text);
  add(std::to_string(inventory.memoryGiB));
  add(std::to_string(inventory.components.size()));
  for (const auto& c : inventory.components) {
    add(nameOf(c.kind));
    for (const auto* text : {&c.name, &c.serial, &c.model, &c.part, &c.why}) add(*text);
    add(c.complete ? (c.sick ? "cs" : "c") : (c.sick ? "s" : ""));
  }
  for (const auto& f : inventory.firmware) {
    add(f.id);
    add(f.version);
    add(f.updateable ? (f.absent ? "ua" : "u") : (f.absent ? "a" : ""));
  }
  return hash.hex();
}

}  // namespace zellige
