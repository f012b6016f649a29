#include "drivers/simulator/tree.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/base/time.hpp"

namespace zellige::sim {

namespace {

constexpr std::string_view kRoot = "/redfish/v1";
constexpr int kMaxExpanded = 1'000;  // resources in one reply; the whole tree has fewer

void addServices(Json& root, bool systems) {
  for (const auto* service : {"AccountService", "Chassis", "Managers", "SessionService", "UpdateService"})
    root[service] = link(service);
  if (systems) root["Systems"] = link("Systems");
  root["Tasks"] = link("TaskService");
}

Json serviceRoot(const World& w, const Machine& m) {
  auto root = anonymousRoot(w, m);
  addServices(root, m.kind() != MachineKind::PowerShelf);
  return root;
}

// Neither Vendor nor Product (FACTS 1), and all links are shown to everybody, as recorded.
Json shelfRoot(const World& w, const Machine& m) {
  Json root{{"@odata.id", kRoot},
            {"@odata.type", "#ServiceRoot.v1_11_0.ServiceRoot"},
            {"Id", "RootService"},
            {"Links", {{"Sessions", link("SessionService/Sessions")}}},
            {"Name", "Root Service"},
            {"ProtocolFeaturesSupported",
             {{"ExcerptQuery", false},
              {"ExpandQuery", {{"ExpandAll", false}, {"Levels", false}, {"Links", false}, {"NoLinks", false}}},
              {"FilterQuery", false},
              {"OnlyMemberQuery", false},
              {"SelectQuery", false}}},
            {"RedfishVersion", "1.9.0"},
            {"UUID", w.identity(m).uuid("service root")}};
  addServices(root, false);
  return root;
}

bool isReference(const Json& json) {
  return json.is_object() && json.size() == 1 && json.contains("@odata.id");
}

class Expander {
 public:
  Expander(const World& w, const Machine& m, bool subordinate, bool links)
      : w_(w), m_(m), subordinate_(subordinate), links_(links) {}

  void into(Json& json, const std::string& own, int levels, bool inLinks) {
    if (json.is_object()) {
      for (auto& [key, value] : json.items())
        if (!key.starts_with('@')) visit(value, own, levels, inLinks || key == "Links");
    } else if (json.is_array()) {
      for (auto& value : json) visit(value, own, levels, inLinks);
    }
  }
  int count() const { return count_; }

 private:
  void visit(Json& value, const std::string& own, int levels, bool inLinks) {
    if (!isReference(value)) return into(value, own, levels, inLinks);
    const auto target = value["@odata.id"].get<std::string>();
    const bool below = target.size() > own.size() && target.starts_with(own) && target[own.size()] == '/';
    if (inLinks ? !links_ : !(subordinate_ && below)) return;
    if (levels == 0 || count_ >= kMaxExpanded) return;
    auto found = resource(w_, m_, target);
    if (!found) return;
    ++count_;
    value = std::move(*found);
    into(value, target, levels - 1, false);
  }

  const World& w_;
  const Machine& m_;
  bool subordinate_, links_;
  int count_ = 0;
};

}  // namespace

Json link(std::string_view below) { return {{"@odata.id", fmt::format("{}/{}", kRoot, below)}}; }

Json healthy() {
  return {{"Conditions", Json::array()}, {"Health", "OK"}, {"HealthRollup", "OK"}, {"State", "Enabled"}};
}

std::string redfishTime(Time t) {
  auto text = iso8601(std::chrono::floor<std::chrono::seconds>(t));
  if (text.ends_with('Z')) text.replace(text.size() - 1, 1, "+00:00");
  return text;
}

Json collection(std::string_view below, std::string_view type, std::string_view name,
                const std::vector<std::string>& members) {
  Json list = Json::array();
  for (const auto& id : members) list.push_back(link(fmt::format("{}/{}", below, id)));
  auto out = link(below);
  out["@odata.type"] = fmt::format("#{}.{}", type, type);
  out["Members"] = std::move(list);
  out["Members@odata.count"] = members.size();
  out["Name"] = name;
  return out;
}

Json actionInfo(std::string_view below, std::string_view name, std::initializer_list<std::string_view> values) {
  auto out = link(below);
  out["@odata.type"] = "#ActionInfo.v1_1_2.ActionInfo";
  out["Id"] = below.substr(below.rfind('/') + 1);
  out["Name"] = name;
  out["Parameters"] = Json::array(
      {{{"AllowableValues", values}, {"DataType", "String"}, {"Name", "ResetType"}, {"Required", true}}});
  return out;
}

namespace {

Json trayRoot(const World& w, const Machine& m) {
  return {
      {"@odata.id", kRoot},
      {"@odata.type", "#ServiceRoot.v1_15_0.ServiceRoot"},
      {"Id", "RootService"},
      {"Links",
       {{"ManagerProvidingService", link("Managers/BMC_0")}, {"Sessions", link("SessionService/Sessions")}}},
      {"Name", "Root Service"},
      {"Product", "GB200 NVL"},
      {"ProtocolFeaturesSupported",
       {{"DeepOperations", {{"DeepPATCH", false}, {"DeepPOST", false}}},
        {"ExcerptQuery", false},
        {"ExpandQuery",
         {{"ExpandAll", true}, {"Levels", true}, {"Links", true}, {"MaxLevels", 6}, {"NoLinks", true}}},
        {"FilterQuery", false},
        {"OnlyMemberQuery", false},
        {"SelectQuery", false}}},
      {"RedfishVersion", "1.17.0"},
      {"UUID", w.identity(m).uuid("service root")},
      {"Vendor", "NVIDIA"}};
}

// P3809 is the board that GH200 has too (FACTS 1). It expands nothing (FACTS 7).
Json switchRoot(const World& w, const Machine& m) {
  auto root = trayRoot(w, m);
  root["Product"] = "P3809";
  root["ProtocolFeaturesSupported"]["ExpandQuery"] = {
      {"ExpandAll", false}, {"Levels", false}, {"Links", false}, {"NoLinks", false}};
  return root;
}

}  // namespace

Json anonymousRoot(const World& w, const Machine& m) {
  switch (m.kind()) {
    case MachineKind::ComputeTray: return trayRoot(w, m);
    case MachineKind::SwitchTray: return switchRoot(w, m);
    case MachineKind::PowerShelf: return shelfRoot(w, m);
  }
  return {};
}

std::optional<Json> resource(const World& w, const Machine& m, std::string_view path) {
  if (path == kRoot) return serviceRoot(w, m);
  if (!path.starts_with("/redfish/v1/")) return std::nullopt;
  path.remove_prefix(kRoot.size() + 1);
  Path p;
  while (!path.empty()) {
    const auto cut = path.find('/');
    p.push_back(path.substr(0, cut));
    path = cut == std::string_view::npos ? std::string_view{} : path.substr(cut + 1);
  }
  if (p.empty()) return std::nullopt;
  if (auto service = servicesBranch(w, m, p)) return service;
  if (m.kind() == MachineKind::PowerShelf) return shelfBranch(w, m, p);
  if (p[0] != "Managers" && m.kind() == MachineKind::SwitchTray) return switchBranch(w, m, p);
  if (p[0] == "Systems") return systemsBranch(w, m, p);
  if (p[0] == "Chassis") return chassisBranch(w, m, p);
  if (p[0] == "Managers") return managersBranch(w, m, p);
  return std::nullopt;
}

int expand(const World& w, const Machine& m, Json& json, int levels, bool subordinate, bool links) {
  Expander expander(w, m, subordinate, links);
  expander.into(json, json.value("@odata.id", std::string()), levels, false);
  return expander.count();
}

}  // namespace zellige::sim
