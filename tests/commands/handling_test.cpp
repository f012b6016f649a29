// For each kind of fault: with the handling the machine ends as expected; with the handling undone it does so only while
// the fault is not there. Without this a fault could be one that nobody would notice.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "drivers/simulator/profile.hpp"
#include "tests/commands/undone.hpp"

namespace zellige {
namespace {

using sim::FaultKind;
using Received = Result<http::Received>;

Error giveUp(std::string cause, std::string what) { return failure(cause, std::move(what)); }

bool isRead(const HttpRequest& request) { return request.method == "GET"; }
bool ends(const HttpRequest& request, std::string_view ending) { return request.path().ends_with(ending); }

// --- The wire

Undoing takesBusyForANo() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            if (result && result->reply.status == 503) result = giveUp("bmc.bad_reply", "503");
          }};
}

Undoing takesPlainTextForNonsense() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            if (result && result->reply.status == 503 && !result->reply.body.starts_with('{'))
              result = giveUp("bmc.bad_reply", result->reply.body);
          }};
}

// What cannot be read now is not there.
Undoing takesAFailingResourceForAMissingOne() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (isRead(request) && result && result->reply.status == 500) result->reply.status = 404;
          }};
}

Undoing takesAFullSessionTableForANo() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (ends(request, "/Sessions") && result && result->reply.status == 503)
              result = giveUp("bmc.bad_reply", "503");
          }};
}

// And comes again until it is let in.
Undoing takesALockedAccountForABusyOne() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (ends(request, "/Sessions") && result && result->reply.status == 401)
              result->reply.status = 503;
          }};
}

Undoing takesALockedAccountForAWrongPassword() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (ends(request, "/Sessions") && result && result->reply.status == 401)
              result = giveUp("bmc.credentials", "401");
          }};
}

// Sessions end when the BMC restarts or the password changes; before that a 401 is a stray.
Undoing takesAStray401ForANo() {
  return {{}, [valid = false](Time, const HttpRequest& request, Received& result) mutable {
            if (!result || request.method == "PATCH") valid = false;
            if (!result) return;
            if (ends(request, "/Sessions") && result->reply.status == 201) valid = true;
            if (result->reply.status == 401 && valid) result = giveUp("bmc.credentials", "401");
          }};
}

Undoing readsNoPages() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            if (result && result->reply.status == 403 && result->reply.body.starts_with('<'))
              result->reply.body = "{}";
          }};
}

Undoing readsNoRefusals() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            if (result && result->reply.status == 403) result->reply.body = "{}";
          }};
}

Undoing takesAClosedConnectionForTheEnd() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (isRead(request) && !result && result.error().what.find("closed") != std::string::npos)
              result = giveUp("bmc.bad_reply", result.error().what);
          }};
}

Undoing takesACutReplyForTheEnd() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            if (!result && result.error().code == Errc::BadReply)
              result = giveUp("bmc.bad_reply", result.error().what);
          }};
}

Undoing repeatsWhatItDoesNotKnow() { return {{}, {}, true}; }

// --- Firmware

// A task that was seen running and is not listed any more goes on as one that failed, and the BMC as one that has not
// restarted.
Undoing takesAVanishedTaskForAFailure() {
  struct Seen {
    Json running, reset;
    bool lost = false;
  };
  return {{}, [seen = Seen{}](Time, const HttpRequest& request, Received& result) mutable {
            if (ends(request, "/update-multipart")) seen.running = Json(), seen.lost = false;
            changeBody(result, [&](Json& json) {
              if (!json.contains("LastResetTime")) return;
              if (seen.lost)
                json["LastResetTime"] = seen.reset;
              else
                seen.reset = json["LastResetTime"];
            });
            const auto path = request.path();
            const auto at = path.find("/TaskService/Tasks");
            if (at == std::string_view::npos || !isRead(request) || !result) return;
            if (result->reply.status == 404 && seen.running.is_object()) {
              seen.lost = true;
              seen.running["TaskState"] = "Exception";
              result->reply.status = 200;
              result->reply.body = seen.running.dump();
            }
            if (seen.lost) return;
            changeBody(result, [&](Json& json) {
              forEachObject(json, [&](Json& task) {
                if (task.contains("TaskState"))
                  seen.running = task.value("TaskState", "") == "Running" ? task : Json();
              });
            });
          }};
}

Json& wantedVersions(Json& json) {
  forEachObject(json, [](Json& item) {
    if (!item.contains("Version") || !item.contains("SoftwareId")) return;
    const auto& tray = sim::profileOf(sim::MachineKind::ComputeTray);
    if (const int index = tray.item(item.value("Id", "")); index >= 0)
      item["Version"] = tray.firmware[static_cast<std::size_t>(index)].wanted;
  });
  return json;
}

// A task is over when it says so, and not before.
Undoing neverRestartsABmc() {
  return {[](const HttpRequest& request) -> std::optional<HttpReply> {
    if (!ends(request, "/Manager.Reset")) return std::nullopt;
    return HttpReply{405, {}, "{}"};
  }};
}

// Completed is completed, and what was to be written runs.
Undoing believesWhatTheTaskSays() {
  return {{}, [believed = false](Time, const HttpRequest& request, Received& result) mutable {
            if (!isRead(request)) return;
            changeBody(result, [&](Json& json) {
              forEachObject(json, [&](Json& task) {
                if (task.value("TaskState", "") != "Completed" || task.value("TaskStatus", "") != "Critical")
                  return;
                task["TaskStatus"] = "OK";
                believed = true;
              });
              if (believed && request.path().find("/FirmwareInventory") != std::string_view::npos)
                wantedVersions(json);
            });
          }};
}

// What was written and cycled is believed to run.
Undoing readsNoVersionsBack() {
  return {
      {}, [cycled = false](Time, const HttpRequest& request, Received& result) mutable {
        if (ends(request, "NvidiaChassis.AuxPowerReset") && result) cycled = true;
        if (cycled && isRead(request) && request.path().find("/FirmwareInventory") != std::string_view::npos)
          changeBody(result, [](Json& json) { wantedVersions(json); });
      }};
}

Undoing knowsNoAuxCycle() {
  return {[](const HttpRequest& request) -> std::optional<HttpReply> {
    if (!ends(request, "NvidiaChassis.AuxPowerReset")) return std::nullopt;
    return HttpReply{405, {}, "{}"};
  }};
}

// What was agreed to has happened.
Undoing takesTheAnswerForTheDeed() {
  return {{}, [agreed = std::string()](Time, const HttpRequest& request, Received& result) mutable {
            if (ends(request, "ComputerSystem.Reset") && result && result->reply.status < 300)
              agreed = Json::parse(request.body)["ResetType"];
            if (agreed.empty() || !isRead(request) || !ends(request, "/Systems/System_0")) return;
            changeBody(result, [&](Json& json) {
              if (agreed == "ForceRestart") json["LastResetTime"] = "2000-01-01T00:00:00Z";
              if (agreed == "On" || agreed == "ForceOff") json["PowerState"] = agreed == "On" ? "On" : "Off";
            });
          }};
}

// Believes that a host which was off is off.
Undoing looksForPowerOnce() {
  return {{}, [refused = false](Time, const HttpRequest& request, Received& result) mutable {
            if (ends(request, "NvidiaChassis.AuxPowerReset")) refused = result && result->reply.status == 400;
            if (refused && isRead(request) && ends(request, "/Systems/System_0"))
              changeBody(result, [](Json& json) { json["PowerState"] = "Off"; });
          }};
}

void onlyTheTraysBundle(const std::filesystem::path& site) {
  std::ifstream in(site / "compute_tray/baseline.yaml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  in.close();
  std::ofstream(site / "compute_tray/baseline.yaml") << text.substr(0, text.find("  - id: compute_tray"));
}

// Gives a BMC up that is gone for longer than any restart takes.
Undoing waitsEightMinutesForABmc() {
  return {{}, [since = std::optional<Time>()](Time now, const HttpRequest&, Received& result) mutable {
            const bool gone = !result && result.error().code == Errc::Unreachable;
            if (!gone) since.reset();
            if (gone && !since) since = now;
            if (gone && now - *since > 8min) result = giveUp("bmc.bad_reply", "it does not come back");
          }};
}

bool showsBaseboard(const HttpRequest& request, const Received& result) {
  return result && result->reply.status == 200 &&
         result->reply.body.find("HGX_Baseboard_0") != std::string::npos &&
         (ends(request, "/Systems") || ends(request, "/HGX_Baseboard_0"));
}

// Gives a baseboard up that is missing for longer than its start takes.
Undoing waitsFourMinutesForHgx() {
  return {{}, [since = std::optional<Time>()](Time now, const HttpRequest& request, Received& result) mutable {
            if (!result) return since.reset();
            if (!ends(request, "/Systems") && !ends(request, "/HGX_Baseboard_0")) return;
            if (result->reply.status == 401) return;
            if (showsBaseboard(request, result)) return since.reset();
            if (!since) since = now;
            if (now - *since > 4min) result = giveUp("firmware.hgx_missing", "it does not come back");
          }};
}

// Believes that the baseboard is there because it was.
Undoing looksForHgxOnce() {
  return {
      {},
      [seen = std::map<std::string, HttpReply>()](Time, const HttpRequest& request, Received& result) mutable {
        if (!isRead(request) || !result) return;
        if (showsBaseboard(request, result)) seen[request.target] = result->reply;
        const bool asked = ends(request, "/Systems") || ends(request, "/HGX_Baseboard_0");
        const bool answered = result->reply.status == 200 || result->reply.status == 404;
        if (const auto known = seen.find(request.target); asked && answered && known != seen.end())
          result->reply = known->second;
      }};
}

// --- Defects

// Takes the Status of a part for the truth, whatever it lacks.
Undoing trustsStatus() {
  return {{}, [](Time, const HttpRequest& request, Received& result) {
            if (!isRead(request)) return;
            changeBody(result, [](Json& json) {
              forEachObject(json, [](Json& part) {
                if (part.value("State", "") == "Absent") part["State"] = "Enabled";
                if (part.value("Health", "") == "Critical") part["Health"] = "OK";
                if (part.value("ProcessorType", "") != "GPU" || part.contains("Model")) return;
                part["Model"] = sim::kGpuModel;
                part["SerialNumber"] = "made up";
                auto& ports = part["Ports"]["@odata.id"].get_ref<std::string&>();
                const auto number = ports.find("GPU_") + 4;
                ports[number] = ports[number] == '0' ? '1' : '0';
              });
            });
          }};
}

// Never asks a leak detector.
Undoing takesEveryTrayForDry() {
  return {{}, [](Time, const HttpRequest&, Received& result) {
            changeBody(result, [](Json& json) {
              forEachObject(json, [](Json& part) {
                if (part.contains("DetectorState")) part["DetectorState"] = "OK";
              });
            });
          }};
}

void anyFigureWillDo(const std::filesystem::path& site) {
  std::ifstream in(site / "plan.yaml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  in.close();
  for (const std::string limit : {"min: 2540", "min: 600"})
    text.replace(text.find(limit), limit.size(), "min: 1");
  std::ofstream(site / "plan.yaml") << text;
}

struct Case {
  FaultKind kind;
  int skip = 0;
  Undoing (*undoing)() = nullptr;
  void (*site)(const std::filesystem::path&) = nullptr;      ///< for all three executions
  void (*undoSite)(const std::filesystem::path&) = nullptr;  ///< where the handling is in the site's files
};

const Case kCases[] = {
    {FaultKind::Busy503, 20, takesBusyForANo},
    {FaultKind::BusyPlainText, 20, takesPlainTextForNonsense},
    {FaultKind::FailingResource, 12, takesAFailingResourceForAMissingOne},
    {FaultKind::StrayUnauthorized, 20, takesAStray401ForANo},
    {FaultKind::PasswordXhtml, 0, readsNoPages},
    {FaultKind::SessionTableFull, 1, takesAFullSessionTableForANo},
    {FaultKind::LockedOut, 1, takesALockedAccountForAWrongPassword},
    {FaultKind::LockedAtFirst, 0, takesALockedAccountForABusyOne},
    {FaultKind::ClosedOnReuse, 10, takesAClosedConnectionForTheEnd},
    {FaultKind::CutShort, 20, takesACutReplyForTheEnd},
    // The second flash: after the first the BMC's restart has brought the new version alive, and all is well.
    {FaultKind::TaskLostDone, 1, takesAVanishedTaskForAFailure},
    {FaultKind::TaskLostNotDone, 0, readsNoVersionsBack},
    {FaultKind::TaskStuck, 0, neverRestartsABmc},
    {FaultKind::CompletedCritical, 1, believesWhatTheTaskSays},
    {FaultKind::PowerUnmoved, 2, takesTheAnswerForTheDeed},
    {FaultKind::OldUntilAuxCycle, 0, knowsNoAuxCycle, onlyTheTraysBundle},
    {FaultKind::OldForGood, 0, readsNoVersionsBack},
    {FaultKind::HostOnAtAuxCycle, 0, looksForPowerOnce},
    {FaultKind::BmcSlowToReturn, 0, waitsEightMinutesForABmc},
    {FaultKind::HgxLate, 0, waitsFourMinutesForHgx},
    {FaultKind::HgxMissing, 0, looksForHgxOnce},
    {FaultKind::GpuMissing, 0, trustsStatus},
    {FaultKind::WeakGpu, 0, nullptr, nullptr, anyFigureWillDo},
    {FaultKind::Leak, 0, takesEveryTrayForDry},
};
// racks_test.cpp
const FaultKind kOfRacks[] = {FaultKind::PowersUpByItself, FaultKind::DeadLink, FaultKind::FabricNever};
const FaultKind kUnknownOutcomes[] = {FaultKind::AppliedThenClosed, FaultKind::SlowButApplied};

void PrintTo(const Case& c, std::ostream* out) { *out << nameOf(c.kind); }

class Handling : public testing::TestWithParam<Case> {
 protected:
  static TrayEnd run(bool fault, bool undone, int skip) {
    const auto& c = GetParam();
    Bringup bringup;
    if (fault) bringup.fault = sim::ScriptedFault{0, c.kind, Duration{0}, skip, 1};
    if (undone && c.undoing) bringup.undoing = c.undoing();
    bringup.editSite = undone && c.undoSite ? c.undoSite : c.site;
    return bringUp(std::move(bringup));
  }
};

TEST_P(Handling, IsWhatMakesTheFaultEndAsExpected) {
  const auto handled = run(true, false, GetParam().skip);
  EXPECT_TRUE(handled.good()) << handled.text();
  EXPECT_EQ(handled.fired, 1);
  EXPECT_EQ(handled.end.repeatsAllowed, 0) << "nothing but a crash leaves a doubt that would excuse one";
  const auto harmless = run(false, true, 0);
  EXPECT_TRUE(harmless.good()) << "without the fault the undoing must do no harm: " << harmless.text();
  const auto undone = run(true, true, GetParam().skip);
  EXPECT_EQ(undone.fired, 1);
  EXPECT_FALSE(undone.good()) << "nobody would notice that the handling is missing";
}

INSTANTIATE_TEST_SUITE_P(OfEachFault, Handling, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(nameOf(info.param.kind)); });

// An act that was applied without a reply: each act of the bring-up in turn, sent again at once.
class UnknownOutcome : public testing::TestWithParam<FaultKind> {};

TEST_P(UnknownOutcome, RepeatedBlindlyMakesDuplicates) {
  const auto harmless = bringUp({{}, repeatsWhatItDoesNotKnow(), {}});
  EXPECT_TRUE(harmless.good()) << harmless.text();
  std::size_t duplicates = 0;
  int acts = 0;
  for (; acts < 40; ++acts) {
    const sim::ScriptedFault fault{0, GetParam(), Duration{0}, acts, 1};
    const auto handled = bringUp({fault, {}, {}});
    EXPECT_TRUE(handled.good()) << "act " << acts << ": " << handled.text();
    if (handled.fired == 0) break;
    duplicates += bringUp({fault, repeatsWhatItDoesNotKnow(), {}}).end.duplicates.size();
  }
  EXPECT_GT(acts, 8) << "a bring-up has more acts than that";
  EXPECT_GT(duplicates, 4u);
}

INSTANTIATE_TEST_SUITE_P(OfEachFault, UnknownOutcome, testing::ValuesIn(kUnknownOutcomes),
                         [](const auto& info) { return std::string(nameOf(info.param)); });

// Fault 5 in JSON is how every tray arrives.
TEST(HandlingOfDelivery, ReadsThatThePasswordMustBeChanged) {
  EXPECT_TRUE(bringUp({}).good());
  EXPECT_FALSE(bringUp({{}, readsNoRefusals(), {}}).good());
}

TEST(HandlingList, ForgetsNoKindOfFault) {
  for (const auto& [kind, name] : EnumNames<FaultKind>::table) {
    const bool listed = std::any_of(std::begin(kCases), std::end(kCases),
                                    [kind = kind](const Case& c) { return c.kind == kind; }) ||
                        std::find(std::begin(kUnknownOutcomes), std::end(kUnknownOutcomes), kind) !=
                            std::end(kUnknownOutcomes) ||
                        std::find(std::begin(kOfRacks), std::end(kOfRacks), kind) != std::end(kOfRacks);
    EXPECT_TRUE(listed) << name;
  }
}

}  // namespace
}  // namespace zellige
