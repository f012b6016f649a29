// Kea's memfile: CSV; the first line of each of its files names the columns. A comma inside a value is written "&#x2c". A later line about an
// address holds; a lifetime of 0, or a state that is not 0, means that nobody has it any more. What Kea was told to store
// of option 82 stands in user_context, as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/base/json.hpp"
#include "controller/base/text.hpp"
#include "controller/site/address.hpp"
#include "controller/site/lease_reader.hpp"

namespace zellige {

namespace {

constexpr std::size_t kMostColumns = 64;
constexpr std::string_view kVendorClass = "VENDOR_CLASS_";  // how Kea names the class of option 60

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t cut = 0; cut != std::string_view::npos && out.size() < kMostColumns;) {
    cut = line.find(',');
    out.push_back(line.substr(0, cut));
    line = cut == std::string_view::npos ? std::string_view{} : line.substr(cut + 1);
  }
  return out;
}

std::string unescaped(std::string_view cell) {
  std::string out;
  for (std::size_t at; (at = cell.find("&#x")) != std::string_view::npos;) {
    out += cell.substr(0, at);
    const auto byte = bytesOfHex(cell.substr(at + 3, 2));
    out += byte && byte->size() == 1 ? *byte : "?";
    cell.remove_prefix(std::min(cell.size(), at + 5));
  }
  return out += cell;
}

/// DHCP sub-options: code, length, value, again and again. Empty: it is not there, or they make no sense.
std::string subOption(std::string_view options, int code) {
  while (options.size() >= 2) {
    const auto length = static_cast<unsigned char>(options[1]);
    if (options.size() < 2u + length) return {};
    if (static_cast<unsigned char>(options[0]) == code) return std::string(options.substr(2, length));
    options.remove_prefix(2u + length);
  }
  return {};
}

void readContext(const std::string& text, Lease& lease) {
  const auto json = parseJson(text, {.bytes = 8192, .depth = 8, .values = 200});
  if (!json || !json->is_object()) return;
  const auto hex = [&](std::string_view path) {
    return bytesOfHex(readString(*json, path).value_or("")).value_or("");
  };
  // Since Kea 2.3.2 an object, before that the bare sub-options.
  auto options = hex("ISC/relay-agent-info");
  if (options.empty()) options = hex("ISC/relay-agent-info/sub-options");
  lease.circuit = bytesWord(subOption(options, 1));
  lease.remote = bytesWord(subOption(options, 2));
  for (const auto& name : readArray(*json, "ISC/client-classes"))
    if (name.is_string() && name.get_ref<const std::string&>().starts_with(kVendorClass))
      lease.vendorClass = plainWord(name.get_ref<const std::string&>().substr(kVendorClass.size()));
}

class KeaReader final : public LeaseTable {
 public:
  using LeaseTable::LeaseTable;

 private:
  std::string take(std::string_view text) override {
    const auto row = cells(text);
    if (columns_.empty() || row.front() == "address") return takeHeader(row);
    if (row.size() < columns_.size()) return "fewer columns than the first line names";
    auto address = canonicalAddress(cell(row, "address"));
    if (!address) return "the address is none of a machine";
    const auto expires = wholeNumber(cell(row, "expire")),
               lifetime = wholeNumber(cell(row, "valid_lifetime")), state = wholeNumber(cell(row, "state"));
    if (!expires || !lifetime || !state) return "expire, valid_lifetime or state is no number";
    DatedLease lease;
    lease.expires = *expires;
    lease.lease.mac = canonicalMac(cell(row, "hwaddr")).value_or("");
    if (lease.lease.mac.empty()) lease.lease.mac = macOfDuid(cell(row, "duid"));
    const bool isPrefix = cell(row, "lease_type") == "2";  // delegated to a router: no machine has it
    if (*lifetime == 0 || *state != 0 || lease.lease.mac.empty() || isPrefix) {
      remove(*address);
      return {};
    }
    lease.lease.address = std::move(*address);
    lease.lease.hostname = plainWord(unescaped(cell(row, "hostname")));
    readContext(unescaped(cell(row, "user_context")), lease.lease);
    put(std::move(lease));
    return {};
  }

  std::string takeHeader(const std::vector<std::string_view>& row) {
    for (const auto* needed : {"address", "hwaddr", "valid_lifetime", "expire", "state"})
      if (std::find(row.begin(), row.end(), needed) == row.end())
        return "not the column names of Kea's lease file";
    columns_.assign(row.begin(), row.end());
    return {};
  }

  std::string_view cell(const std::vector<std::string_view>& row, std::string_view name) const {
    const auto column = std::find(columns_.begin(), columns_.end(), name);
    return column == columns_.end() ? std::string_view{}
                                    : row[static_cast<std::size_t>(column - columns_.begin())];
  }

  std::vector<std::string> columns_;
};

}  // namespace

std::unique_ptr<LeaseReader> makeKeaReader(const LeaseLimits& limits) {
  return std::make_unique<KeaReader>(limits);
}

}  // namespace zellige
