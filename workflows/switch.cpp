// A switch tray's own system: reached and signed in to, its factory password replaced. Its firmware goes through the same
// steps as a BMC's (firmware_*.cpp), written by this system instead.
#include <fmt/format.h>

#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

Task<Result<Seen>> lookOsContact(StepContext& context) {
  const auto found = co_await context.os().signIn();
  if (!found) co_return found.error();
  const auto& node = context.node();
  if (!found->serial.empty() && found->serial != node.serial)
    co_return failure("place.wrong_serial",
                      fmt::format("{} should be {}, and its system at {} says {}", node.place.path,
                                  node.serial, node.os.address, found->serial));
  co_return Seen::Done;
}

Task<Result<Seen>> lookOsPassword(StepContext& context) {
  const auto found = co_await context.os().signIn();  // settles what a crash left open
  if (!found) co_return found.error();
  const auto access = context.store().loadAccess({context.node().id, Endpoint::Os});
  if (!access) co_return access.error();
  co_return access->mustChange ? Seen::Todo : Seen::Done;
}

Task<Result<void>> changeOsPassword(StepContext& context) {
  co_return co_await context.os().changePassword();
}

}  // namespace

std::vector<Step> switchOsSteps() {
  return {
      {.id = "nvos.contact",
       .title = "Sign in to the switch's system",
       .about = "Signs in to the system that the switch tray runs, beside its BMC, and compares the serial "
                "that it "
                "tells.",
       .look = lookOsContact,
       .deadline = 1h},
      {.id = "nvos.password",
       .title = "Replace the factory password of the switch's system",
       .about =
           "Replaces the factory's password of that system: random, and stored sealed before it is sent.",
       .look = lookOsPassword,
       .act = changeOsPassword,
       .settle = 20s,
       .spent = "bmc.credentials"},
  };
}

}  // namespace zellige::workflows
