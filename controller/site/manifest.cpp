#include <algorithm>

#include "controller/site/address.hpp"
#include "controller/site/site_reader.hpp"

namespace zellige {

namespace {

class ManifestReader {
 public:
  ManifestReader(Problems& problems, SiteFile& file)
      : problems_(problems), file_(file), mentions_(problems, file) {}

  Manifest read(Value root) {
    const Fields fields(root, problems_, "a manifest", {"site", "nodes", "racks"});
    Manifest manifest;
    manifest.site = fields.text("site", Letters::Name);
    const auto nodes = fields.items("nodes", "a manifest without nodes orders nothing");
    manifest.nodes.reserve(nodes.size());
    file_.lines.clear();
    file_.lines.reserve(nodes.size());
    file_.positions.reserve(nodes.size());
    for (const auto node : nodes) {
      file_.positions.emplace_back();
      manifest.nodes.push_back(readNode(node));
      file_.lines.push_back(problems_.lineOf(node.spot()));
    }
    if (fields.find("racks"))
      for (const auto rack : fields.items("racks")) manifest.racks.push_back(readRack(rack));
    return manifest;
  }

 private:
  ManifestNode readNode(Value value) {
    const Fields fields(value, problems_, "a node",
                        {"serial", "kind", "place", "sku", "profile", "bmc", "nvos"});
    ManifestNode node;
    node.serial = readSerial(fields);
    node.kind = fields.name<NodeKind>("kind", "a kind of node");
    node.place = readPlace(fields);
    node.sku = fields.text("sku", Letters::Name);
    node.profile = fields.text("profile", Letters::Name);
    if (const auto sku = fields.find("sku"))
      mentions_.add(Mention::Of::Sku, node.sku, std::string(nameOf(node.kind)), sku->spot());
    if (const auto profile = fields.find("profile"))
      mentions_.add(Mention::Of::Profile, node.profile, node.sku, profile->spot());
    if (const auto bmc = fields.need("bmc")) readBmc(*bmc, node);
    if (node.kind == NodeKind::SwitchTray) {
      if (const auto os = fields.need("nvos")) readOs(*os, node);
    } else if (const auto os = fields.find("nvos")) {
      problems_.add(os->spot(), fmt::format("a {} has no nvos", nameOf(node.kind)));
    }
    return node;
  }

  std::string readSerial(const Fields& fields) {
    const auto value = fields.need("serial");
    if (!value) return {};
    const auto text = readText(*value, problems_);
    const auto begin = std::min(text.find_first_not_of(' '), text.size());  // labels and spreadsheets pad
    auto serial = text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
    const auto fits = [](char c) { return c > ' ' && c < 0x7F; };
    if (!text.empty() &&
        (serial.empty() || serial.size() > 64 || !std::all_of(serial.begin(), serial.end(), fits)))
      problems_.add(value->spot(),
                    fmt::format("{} is no serial: 1 to 64 ASCII characters without blanks", quote(text)));
    serials_.add(serial, value->spot());
    file_.positions.back().serial = positionOf(*value);
    return serial;
  }

  ManifestRack readRack(Value value) {
    const Fields fields(value, problems_, "a rack", {"place", "recipe"});
    ManifestRack rack{readPath(fields, racks_, 3, "hall/row/rack"), fields.text("recipe", Letters::Name)};
    if (const auto recipe = fields.find("recipe"))
      mentions_.add(Mention::Of::Recipe, rack.recipe, {}, recipe->spot());
    return rack;
  }

  NodePositions::Position positionOf(Value value) const {
    const auto at = problems_.at(value.spot(), {});
    return {at.line, at.column};
  }

  Place readPlace(const Fields& fields) {
    if (const auto value = fields.find("place")) file_.positions.back().place = positionOf(*value);
    return {readPath(fields, places_, 4, "hall/row/rack/slot")};
  }

  std::string readPath(const Fields& fields, Unique& taken, std::size_t wanted, std::string_view form) {
    const auto value = fields.need("place");
    if (!value) return {};
    auto path = readText(*value, problems_);
    std::size_t parts = 1, length = 0;
    bool fits = true;
    for (const char c : path) {
      if (c == '/') {
        fits = fits && length > 0;
        ++parts;
        length = 0;
        continue;
      }
      const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      fits = fits && ++length <= 16 && (letter || c == '_' || c == '-');
    }
    if (!path.empty() && (!fits || length == 0 || parts != wanted))
      problems_.add(value->spot(),
                    fmt::format("{} is no place: {}, each 1 to 16 of A-Z a-z 0-9 _ -", quote(path), form));
    taken.add(path, value->spot());
    return path;
  }

  void readBmc(Value value, ManifestNode& node) {
    const Fields fields(value, problems_, "a BMC",
                        {"mac", "address", "port", "user", "password", "factory_password"});
    node.bmc.mac = canonical(fields, "mac", canonicalMac,
                             "is not the MAC of a machine; write it as 3c:6d:66:00:00:01");
    if (const auto mac = fields.find("mac")) {
      macs_.add(node.bmc.mac, mac->spot());
      file_.positions.back().mac = positionOf(*mac);
    }
    if (const auto address = fields.find("address")) file_.positions.back().address = positionOf(*address);
    readWayIn(fields, value, "a BMC", node.bmc, node.password, node.factoryPassword);
  }

  void readOs(Value value, ManifestNode& node) {
    const Fields fields(value, problems_, "nvos", {"address", "port", "user", "password", "factory_password"});
    if (const auto address = fields.find("address")) file_.positions.back().osAddress = positionOf(*address);
    readWayIn(fields, value, "nvos", node.os, node.osPassword, node.osFactoryPassword);
  }

  void readWayIn(const Fields& fields, Value value, std::string_view what, BmcEndpoint& endpoint,
                 Secret& password, bool& isFactorys) {
    // A BMC may be known by its MAC alone: its address is then whatever a lease says.
    if (endpoint.mac.empty() || fields.find("address"))
      endpoint.address = canonical(fields, "address", canonicalAddress,
                                   "is not the numeric IPv4 or IPv6 address of a machine");
    endpoint.port = static_cast<int>(fields.wholeOr("port", 443, 1, 65535));
    endpoint.user = fields.text("user");
    if (const auto address = fields.find("address"); address && !endpoint.address.empty())
      endpoints_.add(fmt::format("{} port {}", endpoint.address, endpoint.port), address->spot());

    const auto own = fields.find("password"), factory = fields.find("factory_password");
    if (own && factory)
      problems_.add(factory->spot(), "password and factory_password are both given; one says which it is");
    else if (!own && !factory && value.kind() == Document::Kind::Map)
      problems_.add(value.spot(), fmt::format("missing key 'password' or 'factory_password' in {}", what));
    if (own || factory) password = readSecret(own ? *own : *factory, problems_);
    isFactorys = factory && !own;
  }

  std::string canonical(const Fields& fields, std::string_view key,
                        std::optional<std::string> (*spelling)(std::string_view), std::string_view reason) {
    const auto value = fields.need(key);
    if (!value) return {};
    const auto text = readText(*value, problems_);
    auto result = spelling(text);
    if (!result && !text.empty()) problems_.add(value->spot(), fmt::format("{} {}", quote(text), reason));
    return result.value_or("");
  }

  Problems& problems_;
  SiteFile& file_;
  Mentions mentions_;
  Unique serials_{problems_, "serial"}, macs_{problems_, "MAC"}, endpoints_{problems_, "address"},
      places_{problems_, "place"}, racks_{problems_, "rack"};
};

}  // namespace

Manifest readManifest(Value root, Problems& problems, SiteFile& file) {
  return ManifestReader(problems, file).read(root);
}

}  // namespace zellige
