// Which properties of which resources the client reads, learnt while it reads. Header-only, so that tests elsewhere can
// hold a simulated machine against a recorded one with it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "drivers/redfish/view.hpp"

namespace zellige::redfish {

class ReadList final : public ReadLog {
 public:
  /// "Processor" and "Status/Health".
  using Property = std::pair<std::string, std::string>;

  void noteRead(std::string_view, std::string_view type, std::string_view path, const Json* found) override {
    const Property property{std::string(type), std::string(path)};
    if (found) {
      found_[property].insert(found->type_name());
    } else {
      asked_.insert(property);
    }
  }

  /// Properties that at least one resource had, with the JSON types they had ("string", "number", …).
  const std::map<Property, std::set<std::string>>& found() const { return found_; }
  /// Properties that were asked for and that no resource had.
  std::set<Property> neverFound() const {
    auto out = asked_;
    for (const auto& [property, types] : found_) out.erase(property);
    return out;
  }

 private:
  std::map<Property, std::set<std::string>> found_;
  std::set<Property> asked_;
};

}  // namespace zellige::redfish
