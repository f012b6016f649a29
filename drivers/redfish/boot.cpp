// Boot override and virtual media.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/redfish/body.hpp"
#include "drivers/redfish/redfish_bmc.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

// Some refuse what others demand (FACTS 5): a 400 was not applied, so the next form may be tried.
std::vector<std::string> insertForms(const std::string& url) {
  const auto* protocol = url.starts_with("https:") ? "HTTPS" : "HTTP";
  return {Json{{"Image", url}, {"Inserted", true}, {"WriteProtected", true}}.dump(),
          Json{{"Image", url}}.dump(), Json{{"Image", url}, {"TransferProtocolType", protocol}}.dump()};
}

}  // namespace

// Written to the settings object where that holds a Boot object, else to the system (FACTS 3); read back from there too.
Task<Result<std::string>> RedfishBmc::bootUri() {
  if (!known().boot.empty()) co_return known().boot;
  auto host = co_await hostUri();
  if (!host) co_return host.error();
  auto uri = *host;
  if (platform().boot == BootPlace::SettingsIfItHoldsBoot) {
    auto system = co_await client_.get(*host);
    if (!system) co_return system.error();
    const auto pending = system->view().link("@Redfish.Settings/SettingsObject");
    if (!pending.empty()) {
      auto settings = co_await client_.get(pending);
      if (!settings && !isNotThere(settings.error())) co_return settings.error();
      if (settings && settings->view().has("Boot")) uri = pending;
    }
  }
  learn([&](Known& k) { k.boot = uri; });
  co_return uri;
}

Task<Result<BootOverride>> RedfishBmc::bootOverride() {
  auto uri = co_await bootUri();
  if (!uri) co_return uri.error();
  auto resource = co_await client_.get(*uri);
  if (!resource) co_return resource.error();
  const auto boot = resource->view().inside("Boot");
  const auto enabled = boot.trimmed("BootSourceOverrideEnabled");
  BootOverride out;
  out.target = boot.trimmed("BootSourceOverrideTarget");
  if (out.target.empty() || enabled == "Disabled")
    out.target = "None";  // a target that is switched off is none
  out.once = enabled == "Once";
  co_return out;
}

Task<Result<void>> RedfishBmc::setBootOverride(BootOverride wanted) {
  if (auto ok = client_.armed("boot override"); !ok) co_return ok.error();
  auto uri = co_await bootUri();
  if (!uri) co_return uri.error();
  auto resource = co_await client_.get(*uri);
  if (!resource) co_return resource.error();
  const auto boot = resource->view().inside("Boot");
  Json change;
  if (wanted.target.empty() || wanted.target == "None") {
    change["BootSourceOverrideTarget"] = "None";
    change["BootSourceOverrideEnabled"] = "Disabled";
  } else {
    const auto allowed = boot.texts("BootSourceOverrideTarget@Redfish.AllowableValues");
    const auto offered = [&](std::string_view name) {
      return allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    };
    std::vector<std::string> names;
    if (wanted.target == "Cd") names.assign(platform().cdTargets.begin(), platform().cdTargets.end());
    if (names.empty()) names.push_back(wanted.target);
    const auto name = std::find_if(names.begin(), names.end(), offered);
    if (name == names.end())
      co_return Error{Errc::Unsupported, fmt::format("{}: boot source {} is not among {}", *uri,
                                                     wanted.target, fmt::join(allowed, ", "))};
    change["BootSourceOverrideTarget"] = *name;
    change["BootSourceOverrideEnabled"] = wanted.once ? "Once" : "Continuous";
    // Where the machine has a mode it can be changed by the target alone (FACTS 3): say which one is meant.
    if (boot.text("BootSourceOverrideMode")) change["BootSourceOverrideMode"] = "UEFI";
  }
  auto sent = co_await client_.patch(*uri, bodyOf("Boot", std::move(change)), platform().anyMatch);
  if (!sent) co_return sent.error();
  co_return Result<void>{};
}

// The first slot that can be given a URL and shows it as a CD. Slots without InsertMedia are local only (FACTS 5).
Task<Result<std::string>> RedfishBmc::slotIn(std::string collection) {
  if (collection.empty()) co_return std::string{};
  auto slots = co_await client_.members(collection);
  if (!slots) co_return slots.error();
  if (const auto* why = slots->unanswered()) co_return *why;  // it may be the one that has media in it
  for (const auto& slot : slots->found) {
    const auto view = slot.view();
    if (view.link("Actions/#VirtualMedia.InsertMedia/target").empty()) continue;
    const auto types = view.texts("MediaTypes");
    const bool cd = std::any_of(types.begin(), types.end(),
                                [](const auto& t) { return t == "CD" || t == "DVD"; });
    if (cd || types.empty()) co_return slot.uri;
  }
  co_return std::string{};
}

Task<Result<std::string>> RedfishBmc::mediaSlot() {
  if (!known().mediaSlot.empty()) co_return known().mediaSlot;
  auto manager = co_await managerUri();
  if (!manager) co_return manager.error();
  auto host = co_await hostUri();
  std::vector<std::string> owners;
  owners.push_back(*manager);
  if (host) owners.push_back(*host);
  for (const auto& owner : owners) {  // at the manager, at the system, or at both (FACTS 5)
    auto resource = co_await client_.get(owner);
    if (!resource) co_return resource.error();
    auto slot = co_await slotIn(resource->view().link("VirtualMedia"));
    if (!slot && !isNotThere(slot.error())) co_return slot.error();
    if (slot && !slot->empty()) {
      learn([&](Known& k) { k.mediaSlot = *slot; });
      co_return *slot;
    }
  }
  co_return Error{Errc::Unsupported, "no virtual media slot takes a CD by URL"};
}

Task<Result<MediaState>> RedfishBmc::media() {
  auto uri = co_await mediaSlot();
  if (!uri) co_return uri.error();
  auto slot = co_await client_.get(*uri);
  if (!slot) co_return slot.error();
  MediaState state;
  state.inserted = slot->view().flag("Inserted").value_or(false);
  if (state.inserted) state.image = slot->view().trimmed("Image");
  co_return state;
}

Task<Result<void>> RedfishBmc::insertMedia(std::string url) {
  if (auto ok = client_.armed("media insert"); !ok) co_return ok.error();
  auto uri = co_await mediaSlot();
  if (!uri) co_return uri.error();
  auto slot = co_await client_.get(*uri);
  if (!slot) co_return slot.error();
  const auto target = slot->view().link("Actions/#VirtualMedia.InsertMedia/target");
  const auto forms = insertForms(url);
  std::optional<Result<Document>> last;
  for (const auto& form : forms) {
    last = co_await client_.post(target, form, true);  // the URL holds the node's boot token
    if (*last || last->error().httpStatus != 400) break;
  }
  if (*last) co_return Result<void>{};
  co_return last->error();
}

Task<Result<void>> RedfishBmc::ejectMedia() {
  if (auto ok = client_.armed("media eject"); !ok) co_return ok.error();
  auto uri = co_await mediaSlot();
  if (!uri) co_return uri.error();
  auto slot = co_await client_.get(*uri);
  if (!slot) co_return slot.error();
  const auto target = slot->view().link("Actions/#VirtualMedia.EjectMedia/target");
  if (target.empty()) co_return Error{Errc::Unsupported, *uri + " offers no EjectMedia"};
  auto sent = co_await client_.post(target, "{}");  // iLO wants a body (FACTS 5)
  if (sent) co_return Result<void>{};
  if (sent.error().code != Errc::Rejected && sent.error().code != Errc::Conflict) co_return sent.error();
  auto now = co_await client_.get(*uri);  // nothing was in: some refuse that
  if (now && now->view().flag("Inserted") == false) co_return Result<void>{};
  co_return sent.error();
}

}  // namespace zellige::redfish
