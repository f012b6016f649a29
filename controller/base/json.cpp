#include "controller/base/json.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

namespace zellige {

namespace {

// Builds a DOM from SAX events and stops at the first limit. Depth is bounded, so copying, dumping and destroying the
// result is bounded too (nlohmann's own copy of 100,000 nested arrays overflows the stack).
class GuardedBuilder final : public nlohmann::json_sax<Json> {
 public:
  GuardedBuilder(Json& root, const JsonLimits& limits) : root_(root), limits_(limits) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(v); }
  bool number_unsigned(number_unsigned_t v) override { return put(v); }
  bool number_float(number_float_t v, const string_t&) override { return put(v); }
  bool string(string_t& v) override { return put(std::move(v)); }
  bool binary(binary_t&) override { return fail("binary value"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& k) override {
    key_ = std::move(k);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail(fmt::format("not JSON at byte {}", position));
  }

  const std::string& reason() const { return reason_; }

 private:
  bool fail(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }
  template <class V>
  Json* place(V&& v) {
    if (stack_.empty()) {
      root_ = std::forward<V>(v);
      return &root_;
    }
    auto& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::forward<V>(v));
      return &parent.back();
    }
    auto& slot = parent[key_];
    slot = std::forward<V>(v);
    return &slot;
  }
  template <class V>
  bool put(V&& v) {
    if (++values_ > limits_.values) return fail(fmt::format("more than {} values", limits_.values));
    place(std::forward<V>(v));
    return true;
  }
  bool open(Json container) {
    if (stack_.size() >= limits_.depth) return fail(fmt::format("nested deeper than {}", limits_.depth));
    if (++values_ > limits_.values) return fail(fmt::format("more than {} values", limits_.values));
    stack_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  Json& root_;
  const JsonLimits& limits_;
  std::vector<Json*> stack_;
  std::string key_;
  std::string reason_;
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> parseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    return Error{Errc::BadReply,
                 fmt::format("JSON of {} bytes; at most {} are read", text.size(), limits.bytes)};
  Json root;
  GuardedBuilder builder(root, limits);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return Error{Errc::BadReply, builder.reason()};
  return root;
}

const Json* at(const Json& object, std::string_view path) {
  const Json* here = &object;
  while (!path.empty()) {
    const auto cut = path.find('/');
    if (!here->is_object()) return nullptr;
    const auto it = here->find(path.substr(0, cut));
    if (it == here->end()) return nullptr;
    here = &*it;
    path = cut == std::string_view::npos ? std::string_view{} : path.substr(cut + 1);
  }
  return here;
}

std::optional<std::string> readString(const Json& object, std::string_view path) {
  const auto* v = at(object, path);
  if (!v || !v->is_string()) return std::nullopt;
  return v->get<std::string>();
}

std::optional<std::int64_t> readInt(const Json& object, std::string_view path) {
  const auto* v = at(object, path);
  if (!v) return std::nullopt;
  if (v->is_number_unsigned()) {
    const auto u = v->get<std::uint64_t>();
    if (u > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(u);
  }
  if (v->is_number_integer()) return v->get<std::int64_t>();
  if (v->is_number_float()) {
    const auto d = v->get<double>();
    if (!(d >= -9.0e15 && d <= 9.0e15)) return std::nullopt;
    return static_cast<std::int64_t>(d);
  }
  if (v->is_string()) {
    const auto& s = v->get_ref<const std::string&>();
    std::int64_t out = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), out);
    if (ec == std::errc{} && end == s.data() + s.size()) return out;
  }
  return std::nullopt;
}

std::optional<bool> readBool(const Json& object, std::string_view path) {
  const auto* v = at(object, path);
  if (!v) return std::nullopt;
  if (v->is_boolean()) return v->get<bool>();
  if (v->is_string()) {
    const auto& s = v->get_ref<const std::string&>();
    if (s == "true" || s == "True") return true;
    if (s == "false" || s == "False") return false;
  }
  return std::nullopt;
}

const Json& readArray(const Json& object, std::string_view path) {
  static const Json none = Json::array();
  const auto* v = at(object, path);
  return v && v->is_array() ? *v : none;
}

}  // namespace zellige
