#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

// The factory's password is replaced before anything is written, even where the BMC does not insist.
Task<Result<Seen>> lookPasswordKept(StepContext& context) {
  const auto access = context.store().loadAccess(context.node().id);
  if (!access) co_return access.error();
  const auto signedIn = co_await context.bmc().signIn();
  if (!signedIn) co_return signedIn.error();
  const auto settled = context.store().loadAccess(context.node().id);
  if (!settled) co_return settled.error();
  co_return settled->mustChange ? Seen::Todo : Seen::Done;
}

Task<Result<void>> renewPassword(StepContext& context) { co_return co_await context.bmc().changePassword(); }

bool satisfies(const BmcSettings& has, const BmcSettings& wanted) {
  const bool ntp = wanted.ntp.empty() || has.ntp == wanted.ntp;
  const bool syslog = wanted.syslogAddress.empty() ||
                      (has.syslogAddress == wanted.syslogAddress && has.syslogPort == wanted.syslogPort);
  const bool restore = wanted.powerRestorePolicy.empty() ||
                       has.powerRestorePolicy == wanted.powerRestorePolicy;
  return ntp && syslog && restore;
}

Task<Result<Seen>> lookSettings(StepContext& context) {
  const auto has = co_await context.bmc().settings();
  if (!has) co_return has.error();
  const auto& wanted = context.target().profile.settings;
  if (!satisfies(*has, wanted)) co_return Seen::Todo;
  const auto& node = context.node();
  Evidence evidence{node.id, context.run().id, "settings", "", {}, context.now()};
  evidence.value = Json{{"ntp", has->ntp},
                        {"syslog", fmt::format("{}:{}", has->syslogAddress, has->syslogPort)},
                        {"power_restore_policy", has->powerRestorePolicy}}
                       .dump();
  evidence.dependsOn = {fmt::format("profile:{}", context.target().profile.name),
                        fmt::format("serial:{}", node.serial)};
  context.leave(PutEvidence{std::move(evidence)});
  co_return Seen::Done;
}

Task<Result<void>> setSettings(StepContext& context) {
  auto wanted = context.target().profile.settings;
  co_return co_await context.bmc().setSettings(std::move(wanted));
}

}  // namespace

std::vector<Step> settingsSteps() {
  return {
      {.id = "settings.password",
       .title = "Replace the factory password",
       .about = "Replaces the factory's password of the BMC, even where the BMC does not insist: random, and "
                "stored sealed before it is sent. A password that the manifest calls the site's own stays.",
       .look = lookPasswordKept,
       .act = renewPassword,
       .settle = 20s,
       .spent = "bmc.credentials"},
      {.id = "settings.bmc",
       .title = "Set NTP, syslog and power restore policy",
       .about =
           "Compares NTP servers, syslog server and power restore policy with the profile, and writes those "
           "that differ. What the profile does not name is left as it is.",
       .look = lookSettings,
       .act = setSettings,
       .settle = 20s},
  };
}

}  // namespace zellige::workflows
