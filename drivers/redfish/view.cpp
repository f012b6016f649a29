#include "drivers/redfish/view.hpp"

#include <nlohmann/json.hpp>

#include "controller/base/text.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

constexpr std::string_view blanks{" \t\r\n\0", 5};
constexpr std::size_t kLongest = 256;  // of a name, a version, a state: longer ones are nonsense that we must not keep

std::string typeOf(const Json& resource) {
  const auto full = readString(resource, "@odata.type").value_or("");
  const auto begin = full.starts_with('#') ? 1u : 0u;
  return full.substr(begin, full.find('.') == std::string::npos ? std::string::npos : full.find('.') - begin);
}

const Json& emptyObject() {
  static const Json empty = Json::object();
  return empty;
}

}  // namespace

View::View(const View& outer, const Json& here, std::string_view step)
    : here_(&here), resource_(outer.resource_), log_(outer.log_) {
  if (!log_) return;
  prefix_ = outer.prefix_;
  prefix_ += step;
  prefix_ += '/';
}

const Json* View::look(std::string_view path) const {
  const auto* found = at(*here_, path);
  if (found && found->is_null()) found = nullptr;
  if (log_) log_->noteRead(uri(), type(), prefix_ + std::string(path), found);
  return found;
}

std::optional<std::string> View::text(std::string_view path) const {
  const auto* found = look(path);
  if (!found || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::string View::trimmed(std::string_view path) const {
  const auto raw = text(path).value_or("");
  const auto begin = raw.find_first_not_of(blanks);
  if (begin == std::string::npos) return {};
  const auto length = raw.find_last_not_of(blanks) - begin + 1;
  return std::string(shortened(std::string_view(raw).substr(begin, length), kLongest));
}

std::optional<std::int64_t> View::integer(std::string_view path) const {
  look(path);
  return readInt(*here_, path);
}

std::optional<bool> View::flag(std::string_view path) const {
  look(path);
  return readBool(*here_, path);
}

std::vector<std::string> View::texts(std::string_view path) const {
  std::vector<std::string> out;
  const auto* found = look(path);
  if (!found || !found->is_array()) return out;
  for (const auto& element : *found)
    if (element.is_string()) out.push_back(element.get<std::string>());
  return out;
}

std::vector<View> View::list(std::string_view path) const {
  std::vector<View> out;
  const auto* found = look(path);
  if (!found) return out;
  const auto step = std::string(path) + "[]";
  if (found->is_object()) out.push_back(View(*this, *found, step));
  if (found->is_array())
    for (const auto& element : *found)
      if (element.is_object()) out.push_back(View(*this, element, step));
  return out;
}

View View::inside(std::string_view path) const {
  const auto* found = look(path);
  return View(*this, found && found->is_object() ? *found : emptyObject(), path);
}

std::string View::link(std::string_view path) const {
  const auto* found = look(path);
  if (!found) return {};
  if (found->is_string()) return localPath(found->get_ref<const std::string&>());
  return localPath(readString(*found, "@odata.id").value_or(""));
}

std::vector<std::string> View::links(std::string_view path) const {
  std::vector<std::string> out;
  const auto* found = look(path);
  if (!found || !found->is_array()) return out;
  for (const auto& element : *found)
    if (auto uri = localPath(readString(element, "@odata.id").value_or("")); !uri.empty())
      out.push_back(std::move(uri));
  return out;
}

std::string View::uri() const { return localPath(readString(*resource_, "@odata.id").value_or("")); }
std::string View::type() const { return typeOf(*resource_); }

}  // namespace zellige::redfish
