#include <fmt/format.h>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

Task<Result<Seen>> lookContact(StepContext& context) {
  auto identity = co_await context.bmc().identify();
  if (!identity) co_return identity.error();
  context.setFact("platform", identity->platform);
  if (context.node().unreachableSince) context.leave(SetContact{context.node().id, std::nullopt});
  co_return Seen::Done;
}

Task<Result<Seen>> lookAccess(StepContext& context) {
  const auto signedIn = co_await context.bmc().signIn();
  if (signedIn) {
    context.leave(ResolveFindings{context.node().id, "bmc.password_change", "the password was changed"});
    co_return Seen::Done;
  }
  if (signedIn.error().code != Errc::PasswordExpired) co_return signedIn.error();
  if (!context.store().armed(context.node().place))
    context.find("bmc.password_change",
                 fmt::format("{} at {}", signedIn.error().what, context.node().bmc.address));
  co_return Seen::Todo;
}

Task<Result<void>> changePassword(StepContext& context) { co_return co_await context.bmc().changePassword(); }

}  // namespace

std::vector<Step> discoverSteps() {
  return {
      {.id = "discover.contact",
       .title = "Reach the BMC",
       .about =
           "Asks the BMC at the address of the manifest what it is. Waits while nobody answers. Nothing is "
           "sent but a question.",
       .look = lookContact,
       .deadline = 24h,
       .reaches = Lifecycle::Discovered},
      {.id = "discover.access",
       .title = "Sign in to the BMC",
       .about =
           "Signs in with the password of the manifest, or with the one that an earlier run set. Only a BMC "
           "that lets nobody in before its password is changed gets a new one: random, and stored sealed "
           "before it is sent.",
       .look = lookAccess,
       .act = changePassword,
       .settle = 20s,
       .deadline = 1h,
       .spent = "bmc.credentials"},
  };
}

}  // namespace zellige::workflows
