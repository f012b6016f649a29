// The OS image: boot the deploy agent from virtual media, let it write and verify, boot the disk, and believe only the
// installed system's own call. Facts kept in the run:
//   image.home      "yes": a system with the wanted image called home; the other steps have nothing to do
//   image.on_at     ms: the host was switched on to boot the media
//   image.restart_at ms: the restart into the disk was asked for
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "workflows/host.hpp"
#include "workflows/silence.hpp"
#include "workflows/steps.hpp"

namespace zellige::workflows {

namespace {

constexpr Duration kRestReport = 12min;  // an accepted system that runs reports every 10 min (qualify.accept)
constexpr Duration kPatience = 3min;     // a running system that is not known to be ours may say that it is
constexpr Duration kBoots = 15min;  // one that is known to be ours may still be booting (FACTS 11: 5 to 15 min)

std::int64_t number(const std::string& text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

bool settled(const StepContext& context) { return context.fact("image.home") == "yes"; }

std::string mediaUrl(const StepContext& context) {
  const auto purpose = fmt::format("boot-{}", context.run().id.value);
  return fmt::format("{}/boot/{}/deploy.iso", context.site().provisioningUrl,
                     context.site().token(context.node(), purpose));
}

/// The installed system's report with the wanted image, if one came since `since`.
std::optional<ReportHead> calledHome(StepContext& context, Time since) {
  auto head = context.store().reportHead(context.node().id);
  const bool ours = head && head->received >= since && head->home == AgentHome::Os &&
                    head->image == ImageState::Verified &&
                    head->imageDigest == context.target().profile.imageDigest;
  if (!ours) return std::nullopt;
  return head;
}

void leaveEvidence(StepContext& context, const ReportHead& report) {
  const auto& node = context.node();
  Evidence evidence{node.id, context.run().id, "image", "", {}, context.now()};
  evidence.value = Json{{"digest", report.imageDigest}, {"boot_id", report.bootId}}.dump();
  evidence.dependsOn = {"image:" + report.imageDigest, "serial:" + node.serial};
  context.leave(PutEvidence{std::move(evidence)});
  context.setFact("image.home", "yes");
}

// Whether the wanted system is already there. It gets a while to say so if one is running, or once did.
Task<Result<Seen>> lookInstalled(StepContext& context) {
  if (const auto report = calledHome(context, context.run().stepSince - kRestReport)) {
    leaveEvidence(context, *report);
    co_return Seen::Done;
  }
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (host->power != HostPower::On) co_return Seen::Done;
  auto patience = host->bootProgress == "OSRunning" ? kPatience : Duration{0};
  const auto ours = "image:" + context.target().profile.imageDigest;
  for (const auto& evidence : context.store().validEvidence(context.node().id))
    if (std::count(evidence.dependsOn.begin(), evidence.dependsOn.end(), ours)) patience = kBoots;
  context.waitFor("a running system to call home");
  co_return context.spent() < patience ? Seen::Busy : Seen::Done;
}

Task<Result<Seen>> lookOffForMedia(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  co_return co_await lookHostOff(context);
}

Task<Result<Seen>> lookMediaIn(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto media = co_await context.bmc().media();
  if (!media) co_return media.error();
  if (media->inserted && media->image == mediaUrl(context)) co_return Seen::Done;
  // What somebody left in the slot goes first (FACTS 5: eject, wait, insert, verify).
  context.chooseItem(media->inserted ? "eject" : "insert");
  co_return Seen::Todo;
}
Task<Result<void>> insertMedia(StepContext& context) {
  if (context.item() == "eject") co_return co_await context.bmc().ejectMedia();
  auto url = mediaUrl(context);
  co_return co_await context.bmc().insertMedia(std::move(url));
}

Task<Result<Seen>> lookBootOnce(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto boot = co_await context.bmc().bootOverride();
  if (!boot) co_return boot.error();
  co_return boot->target == "Cd" && boot->once ? Seen::Done : Seen::Todo;
}
Task<Result<void>> setBootOnce(StepContext& context) {
  BootOverride wanted{"Cd", true};
  co_return co_await context.bmc().setBootOverride(std::move(wanted));
}

Task<Result<Seen>> lookBooted(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (host->power != HostPower::On && host->power != HostPower::PoweringOn) co_return Seen::Todo;
  context.setFact("image.on_at", std::to_string(toMillis(context.run().stepSince)));
  co_return Seen::Done;
}

Task<Result<Seen>> lookAgent(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto head = context.store().reportHead(context.node().id);
  const auto since = fromMillis(number(context.fact("image.on_at")));
  const bool here = head && head->received >= since && head->home == AgentHome::Ramdisk;
  context.waitFor("the deploy agent to report");
  if (here) co_return Seen::Done;
  co_return co_await stillSilent(context, context.node());
}

Task<Result<Seen>> lookWritten(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto stored = context.store().report(context.node().id);
  if (!stored) co_return co_await stillSilent(context, context.node());
  const auto& image = stored->report.image;
  const bool wanted = image.digest == context.target().profile.imageDigest;
  if (wanted && image.state == ImageState::Verified) co_return Seen::Done;
  if (wanted && image.state == ImageState::Writing) {
    context.waitFor(fmt::format("the agent writes the image: {} MiB", image.bytesDone >> 20));
    co_return co_await stillSilent(context, context.node());
  }
  const auto orderId = fmt::format("{}-image-{}", context.run().id.value, context.tries());
  const bool ordered = context.wasIntended() && context.store().orderId(context.node().id) == orderId;
  if (ordered && image.state != ImageState::Failed) {
    if (!context.store().armed(context.node().place))
      co_return Error{Errc::NotArmed,
                      "the image is ordered; the agent is told so when the place is armed again"};
    context.waitFor("the agent to begin writing");
    co_return co_await stillSilent(context, context.node());
  }
  if (image.state == ImageState::Failed) context.waitFor(image.error);
  co_return Seen::Todo;
}
Task<Result<void>> orderImage(StepContext& context) {
  const auto& profile = context.target().profile;
  AgentOrder order;
  order.id = fmt::format("{}-image-{}", context.run().id.value, context.tries());
  order.kind = OrderKind::WriteImage;
  order.imageDigest = profile.imageDigest;
  order.imageUrl = fmt::format("{}/images/{}", context.site().provisioningUrl, profile.imageDigest);
  BootMedia seed;
  seed.reportUrl = context.site().provisioningUrl + "/agent/v1/report";
  seed.token = context.site().token(context.node(), "os");
  order.seed = encodeBootMedia(seed);
  order.reportEvery = 15s;  // what changes is reported at once
  context.leave(PutOrder{context.node().id, std::move(order)});
  co_return Result<void>{};
}

Task<Result<Seen>> lookMediaOut(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto media = co_await context.bmc().media();
  if (!media) co_return media.error();
  co_return media->inserted ? Seen::Todo : Seen::Done;
}
Task<Result<void>> ejectMedia(StepContext& context) { co_return co_await context.bmc().ejectMedia(); }

Task<Result<Seen>> lookIntoImage(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto host = co_await context.bmc().host();
  if (!host) co_return host.error();
  if (const auto before = context.intended("host_reset"); before && *before != host->lastReset)
    co_return Seen::Done;
  // A machine that reports no reset time leaves no witness: then our own record must do.
  if (host->lastReset.empty() && context.wasAccepted()) co_return Seen::Done;
  context.witness("host_reset", host->lastReset);
  context.setFactWithIntent("image.restart_at", std::to_string(toMillis(context.now())));
  co_return Seen::Todo;
}
Task<Result<void>> restart(StepContext& context) {
  co_return co_await context.bmc().reset(HostReset::ForceRestart);
}

Task<Result<Seen>> lookHome(StepContext& context) {
  if (settled(context)) co_return Seen::Done;
  const auto since = fromMillis(number(context.fact("image.restart_at")));
  const auto report = calledHome(context, since);
  context.waitFor("the installed system to call home");
  if (!report) co_return co_await stillSilent(context, context.node());
  leaveEvidence(context, *report);
  co_return Seen::Done;
}

}  // namespace

std::vector<Step> imageSteps() {
  return {
      {.id = "image.check",
       .title = "See whether the image is already running",
       .about = "If the wanted image already calls home from this machine, the steps up to `image.home` do "
                "nothing. A running system that may be ours gets some minutes to say so: 15 if it was ours "
                "before, "
                "else 3. A host that is off is not asked.",
       .look = lookInstalled},
      {.id = "image.off",
       .title = "Switch the host off",
       .about = "Switches the host off at once, whatever it runs.",
       .look = lookOffForMedia,
       .act = switchHostOff,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "image.media",
       .title = "Insert the boot media",
       .about = "Inserts our boot media into the BMC's virtual drive, by a URL of the controller with a "
                "token that "
                "holds for this run. What somebody left in the drive is ejected first.",
       .look = lookMediaIn,
       .act = insertMedia,
       .poll = 5s},
      {.id = "image.boot_once",
       .title = "Boot from the media once",
       .about = "Sets the next boot, and only that one, to the virtual drive.",
       .look = lookBootOnce,
       .act = setBootOnce,
       .poll = 5s},
      {.id = "image.on",
       .title = "Switch the host on",
       .about = "Switches the host on: it boots the deploy agent.",
       .look = lookBooted,
       .act = switchHostOn,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "image.agent",
       .title = "Wait for the deploy agent",
       .about = "Waits for the deploy agent's first report from this boot.",
       .look = lookAgent,
       .poll = 30s,  // its first report nudges
       .deadline = 40min,
       .overdue = "image.no_agent"},
      {.id = "image.write",
       .title = "Write and verify the image",
       .about = "Tells the deploy agent to write the profile's image to the system disk, which destroys what "
                "is on "
                "it, and waits until the agent has read it back and found it right.",
       .look = lookWritten,
       .act = orderImage,
       .settle = 60s,
       .deadline = 2h,
       .needs = {.duringStep = Budget::ImageStream},
       .overdue = "image.failed",
       .spent = "image.failed"},
      {.id = "image.eject",
       .title = "Eject the boot media",
       .about = "Ejects the boot media, so that the next boot is from the disk.",
       .look = lookMediaOut,
       .act = ejectMedia,
       .poll = 5s},
      {.id = "image.restart",
       .title = "Restart into the installed system",
       .about = "Restarts the host at once. That it happened is seen by the time of its last reset.",
       .look = lookIntoImage,
       .act = restart,
       .effect = Effect::Transient,
       .repeat = Repeat::Safe,
       .poll = 5s,
       .spent = "power.stuck"},
      {.id = "image.home",
       .title = "Wait for the installed system to call home",
       .about = "Waits until the installed system reports, with the image that was wanted.",
       .look = lookHome,
       .poll = 30s,  // its first report nudges
       .deadline = 40min,
       .overdue = "os.no_call_home"},
  };
}

}  // namespace zellige::workflows
