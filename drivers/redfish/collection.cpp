// Collections: by $expand where the machine can, member by member where it cannot.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "drivers/redfish/client.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

constexpr std::size_t mostMembers = 4'000;  ///< a hostile collection must not keep us busy for ever
constexpr int mostPages = 64;

// Only the link, or the link and annotations: the member was not expanded.
bool isBare(const Json& member) {
  for (const auto& [key, value] : member.items())
    if (!key.starts_with("@")) return false;
  return true;
}

// Missing or null is empty (FACTS 12, 33); anything else that is no list says nothing about what is there.
bool membersAreList(const Json& page) {
  const auto* members = at(page, "Members");
  return !members || members->is_null() || members->is_array();
}

}  // namespace

const Error* Members::unanswered() const {
  const auto it = std::find_if(missing.begin(), missing.end(),
                               [](const Missing& member) { return !isNotThere(member.why); });
  return it == missing.end() ? nullptr : &it->why;
}

// First page to last.
Task<Result<void>> Client::eachPage(std::string uri, std::function<void(const Document&)> visit) {
  std::set<std::string> pages;
  while (!uri.empty()) {
    auto page = co_await get(uri);
    if (!page) co_return page.error();
    if (!membersAreList(*page->json))
      co_return Error{Errc::BadReply, fmt::format("GET {}: Members is no list", uri), false, page->status};
    visit(*page);
    pages.insert(uriKey(uri));
    uri = page->view().link("Members@odata.nextLink");
    if (pages.contains(uriKey(uri)) || pages.size() >= mostPages) break;
  }
  co_return Result<void>{};
}

Task<Result<std::vector<std::string>>> Client::links(std::string uri) {
  std::vector<std::string> out;
  std::function<void(const Document&)> collect = [&out](const Document& page) {
    for (auto& link : page.view().links("Members"))
      if (out.size() < mostMembers) out.push_back(std::move(link));
  };
  auto read = co_await eachPage(std::move(uri), std::move(collect));
  if (!read) co_return read.error();
  co_return out;
}

Task<Result<void>> Client::addMember(std::string uri, Members& members, bool slow) {
  auto member = co_await get(uri, slow);
  if (member) {
    members.found.push_back(std::move(*member));
  } else if (concernsTheResourceOnly(member.error())) {
    members.missing.push_back({std::move(uri), std::move(member.error())});
  } else {
    co_return member.error();
  }
  co_return Result<void>{};
}

// Members that come whole are taken as they come, also where nobody asked for them so.
void Client::take(const Document& page, Members& members, std::vector<std::string>& bare) {
  for (const auto& member : readArray(*page.json, "Members")) {
    auto link = localPath(readString(member, "@odata.id").value_or(""));
    if (!member.is_object() || link.empty() || members.found.size() + bare.size() >= mostMembers) continue;
    if (isBare(member)) {
      bare.push_back(std::move(link));
      continue;
    }
    Document document;
    document.status = page.status;
    document.etag = readString(member, "@odata.etag").value_or("");
    document.json = std::shared_ptr<const Json>(page.json, &member);
    document.log = page.log;
    document.uri = std::move(link);
    members.found.push_back(std::move(document));
  }
}

// `usable` says whether $expand did its job here; an error that is not about $expand is returned as it is.
Task<Result<Members>> Client::expanded(std::string uri, bool& usable) {
  usable = false;
  Members members;
  std::vector<std::string> bare;
  std::set<std::string> pages;
  for (auto page = uri + "?$expand=" + std::string(expand_); !page.empty();) {
    auto got = co_await get(page, true);
    if (!got) {
      const auto status = got.error().httpStatus;  // 429 and 503 say "not now", nothing about $expand
      if (concernsTheResourceOnly(got.error()) && status != 429 && status != 503) co_return members;
      co_return got.error();
    }
    if (!membersAreList(*got->json)) co_return members;
    take(*got, members, bare);
    pages.insert(uriKey(page));
    page = got->view().link("Members@odata.nextLink");
    if (pages.contains(uriKey(page)) || pages.size() >= mostPages) break;
  }
  if (members.found.empty() && !bare.empty()) co_return members;  // it expands nothing
  for (auto& link : bare) {
    auto added = co_await addMember(std::move(link), members, false);
    if (!added) co_return added.error();
  }
  usable = true;
  co_return members;
}

Task<Result<Members>> Client::members(std::string uri, bool slow) {
  if (uri.empty()) co_return Error{Errc::NotFound, "GET: the BMC gave no link for this collection"};
  const auto key = uriKey(uri);
  const bool tryExpand = !expand_.empty() &&
                         std::find(noExpand_.begin(), noExpand_.end(), key) == noExpand_.end();
  if (tryExpand) {
    bool usable = false;
    auto members = co_await expanded(uri, usable);
    if (!members || usable) co_return members;
  }
  Members members;
  std::vector<std::string> each;
  std::function<void(const Document&)> collect = [&](const Document& page) { take(page, members, each); };
  auto read = co_await eachPage(uri, std::move(collect));
  if (!read) co_return read.error();
  if (tryExpand) noExpand_.push_back(key);
  for (auto& link : each) {
    auto added = co_await addMember(std::move(link), members, slow);
    if (!added) co_return added.error();
  }
  co_return members;
}

}  // namespace zellige::redfish
