#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/simulator/firmware.hpp"
#include "drivers/simulator/tree.hpp"

namespace zellige::sim {

namespace {

Json accountService(const Machine& m) {
  auto out = link("AccountService");
  out["@odata.type"] = "#AccountService.v1_15_0.AccountService";
  out["AccountLockoutDuration"] = 600;  // 10 tries, 600 s: FACTS 7
  out["AccountLockoutThreshold"] = 10;
  out["Accounts"] = link("AccountService/Accounts");
  out["Description"] = "Account Service";
  out["HTTPBasicAuth"] = "Enabled";
  out["Id"] = "AccountService";
  out["MaxPasswordLength"] = m.profile->maxPassword;
  out["MinPasswordLength"] = m.profile->minPassword;
  out["Name"] = "Account Service";
  out["ServiceEnabled"] = true;
  return out;
}

Json rootAccount(const World& w, const Machine& m) {
  auto out = link("AccountService/Accounts/root");
  out["@odata.type"] = "#ManagerAccount.v1_7_0.ManagerAccount";
  out["AccountTypes"] = {"HostConsole", "IPMI", "Redfish", "WebUI", "ManagerConsole"};
  out["Description"] = "User Account";
  out["Enabled"] = true;
  out["Id"] = "root";
  out["Locked"] = w.now() < m.lockedUntil;
  out["Name"] = "User Account";
  out["Password"] = nullptr;
  out["PasswordChangeRequired"] = m.passwordExpired;
  out["RoleId"] = "Administrator";
  out["UserName"] = "root";
  return out;
}

std::optional<Json> accounts(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) return accountService(m);
  if (p[1] != "Accounts") return std::nullopt;
  if (p.size() == 2)
    return collection("AccountService/Accounts", "ManagerAccountCollection", "Accounts Collection", {"root"});
  if (p.size() == 3 && p[2] == "root") return rootAccount(w, m);
  return std::nullopt;
}

std::optional<Json> sessions(const Machine& m, const Path& p) {
  auto out = link("SessionService");
  if (p.size() == 1) {
    out["@odata.type"] = "#SessionService.v1_0_2.SessionService";
    out["Description"] = "Session Service";
    out["Id"] = "SessionService";
    out["Name"] = "Session Service";
    out["ServiceEnabled"] = true;
    out["SessionTimeout"] = 1800;
    out["Sessions"] = link("SessionService/Sessions");
    return out;
  }
  if (p[1] != "Sessions") return std::nullopt;
  if (p.size() == 2) {
    std::vector<std::string> members;
    for (const auto& s : m.sessions)
      if (s.token != 0) members.push_back(sessionId(s));
    return collection("SessionService/Sessions", "SessionCollection", "Session Collection", members);
  }
  for (const auto& s : m.sessions) {
    if (p.size() != 3 || s.token == 0 || p[2] != sessionId(s)) continue;
    out = link(fmt::format("SessionService/Sessions/{}", p[2]));
    out["@odata.type"] = "#Session.v1_7_0.Session";
    out["Description"] = "Manager User Session";
    out["Id"] = p[2];
    out["Name"] = "User Session";
    out["Roles"] = {"Administrator"};
    out["UserName"] = "root";
    return out;
  }
  return std::nullopt;
}

Json taskMessages(TaskOutcome outcome) {
  const auto message = [](std::string_view id, std::string_view text, std::string_view severity) {
    return Json::array({{{"@odata.type", "#Message.v1_0_8.Message"},
                         {"Message", text},
                         {"MessageArgs", Json::array()},
                         {"MessageId", id},
                         {"Resolution", "None."},
                         {"Severity", severity}}});
  };
  switch (outcome) {
    case TaskOutcome::Running: return message("TaskEvent.1.0.3.TaskStarted", "The task has started.", "OK");
    case TaskOutcome::Completed:
      return message("Update.1.0.AwaitToActivate",
                     "Awaiting for an action to proceed with activating the image.", "OK");
    case TaskOutcome::CompletedCritical:
      return message("Update.1.0.ApplyFailed", "The update could not be applied.", "Critical");
    case TaskOutcome::PowerUnmoved:
      return message("Base.1.12.ActionNotSupported", "The power state of the chassis did not change.",
                     "Critical");
    case TaskOutcome::LowerStamp:
      return message("NvidiaUpdate.1.0.ComponentUpdateSkipped",
                     "The component comparison stamp is lower than that of the running firmware.", "Critical");
    case TaskOutcome::NotRecognised:
      return message("Update.1.0.TransferFailed", "The image was not recognised.", "Critical");
    case TaskOutcome::CutOff: return message("Update.1.0.ApplyFailed", "The update was cut off.", "Critical");
  }
  return Json::array();
}

Json taskJson(const World& w, const UpdateTask& task) {
  const auto id = firmware::taskId(task);
  const bool undecided = task.outcome == TaskOutcome::PowerUnmoved && w.now() < task.end;
  const auto outcome = undecided ? TaskOutcome::Running : task.outcome;
  const bool running = outcome == TaskOutcome::Running;
  const bool good = running || outcome == TaskOutcome::Completed;
  auto out = link("TaskService/Tasks/" + id);
  out["@odata.type"] = "#Task.v1_4_2.Task";
  out["Id"] = id;
  out["Messages"] = taskMessages(outcome);
  out["Name"] = "Task " + id;
  out["PercentComplete"] = firmware::percent(w, task);
  out["StartTime"] = redfishTime(task.start);
  if (!running) out["EndTime"] = redfishTime(task.end);
  out["TaskMonitor"] = fmt::format("/redfish/v1/TaskService/Tasks/{}/Monitor", id);
  const bool completed = good || outcome == TaskOutcome::CompletedCritical;
  out["TaskState"] = running ? "Running" : completed ? "Completed" : "Exception";
  out["TaskStatus"] = good ? "OK" : "Critical";
  return out;
}

std::optional<Json> tasks(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) {
    auto out = link("TaskService");
    out["@odata.type"] = "#TaskService.v1_1_4.TaskService";
    out["CompletedTaskOverWritePolicy"] = "Oldest";
    out["DateTime"] = redfishTime(w.now());
    out["Id"] = "TaskService";
    out["Name"] = "Task Service";
    out["ServiceEnabled"] = true;
    out["Status"] = {{"State", "Enabled"}};
    out["Tasks"] = link("TaskService/Tasks");
    return out;
  }
  const auto visible = [&](const UpdateTask& t) { return !t.hgx || m.hgxUp; };
  if (p[1] != "Tasks") return std::nullopt;
  if (p.size() == 2) {
    std::vector<std::string> members;
    for (const auto& t : m.tasks)
      if (visible(t)) members.push_back(firmware::taskId(t));
    return collection("TaskService/Tasks", "TaskCollection", "Task Collection", members);
  }
  const auto* task = firmware::findTask(m, p[2]);
  const bool monitor = p.size() == 4 && p[3] == "Monitor";
  if (!task || !visible(*task) || (p.size() != 3 && !monitor)) return std::nullopt;
  return taskJson(w, *task);
}

Json updateService(const Machine& m) {
  auto out = link("UpdateService");
  out["@odata.type"] = "#UpdateService.v1_11_0.UpdateService";
  out["Description"] = "Service for Software Update";
  out["FirmwareInventory"] = link("UpdateService/FirmwareInventory");
  out["HttpPushUri"] = "/redfish/v1/UpdateService/update";
  out["HttpPushUriTargets"] = Json::array();
  out["Id"] = "UpdateService";
  out["MaxImageSizeBytes"] = 209'715'200;
  out["Name"] = "Update Service";
  if (m.isTray()) {
    out["MultipartHttpPushUri"] = "/redfish/v1/UpdateService/update-multipart";
    out["Oem"] = {{"Nvidia",
                   {{"@odata.type", "#NvidiaUpdateService.v1_2_0.NvidiaUpdateService"},
                    {"MultipartHttpPushUriOptions", {{"UpdateOptionSupport", {"StageAndActivate"}}}}}}};
  }
  out["ServiceEnabled"] = true;
  out["Status"] = {{"Conditions", Json::array()}, {"State", "Enabled"}};
  return out;
}

Json firmwareItem(const World& w, const Machine& m, std::size_t index) {
  const auto& item = m.profile->firmware[index];
  auto out = link(fmt::format("UpdateService/FirmwareInventory/{}", item.id));
  out["@odata.type"] = "#SoftwareInventory.v1_4_0.SoftwareInventory";
  out["Description"] = item.softwareId == "0x0010" ? "BMC image" : "Other image";
  out["Id"] = item.id;
  if (item.manufacturer) out["Manufacturer"] = "NVIDIA";
  out["Name"] = item.id == "UEFI" ? "UEFI" : "Software Inventory";
  out["RelatedItem"] = Json::array();
  const bool related = !item.related.empty();
  if (related) out["RelatedItem"].push_back(link(item.related));
  out["RelatedItem@odata.count"] = related ? 1 : 0;
  if (!item.softwareId.empty()) out["SoftwareId"] = item.softwareId;
  out["Status"] = healthy();
  if (const int gpu = w.missingGpu(m); gpu >= 0 && item.id == fmt::format("HGX_FW_GPU_{}", gpu)) {
    w.faults.showed(m.id, FaultKind::GpuMissing);
    out["Status"]["Health"] = "Critical";
    out["Status"]["State"] = "Absent";
  }
  out["Updateable"] = item.updateable;
  out["Version"] = w.versionText(m.active[index]);
  return out;
}

std::optional<Json> updates(const World& w, const Machine& m, const Path& p) {
  if (p.size() == 1) return updateService(m);
  if (p[1] != "FirmwareInventory") return std::nullopt;
  const auto there = [&](const FirmwareItem& item) {
    return item.listed && (m.hgxUp || item.bundle != Bundle::Compute);
  };
  if (p.size() == 2) {
    std::vector<std::string> members;
    for (const auto& item : m.profile->firmware)
      if (there(item)) members.emplace_back(item.id);
    return collection("UpdateService/FirmwareInventory", "SoftwareInventoryCollection",
                      "Software Inventory Collection", members);
  }
  const int index = p.size() == 3 ? m.profile->item(p[2]) : -1;
  if (index < 0 || !there(m.profile->firmware[static_cast<std::size_t>(index)])) return std::nullopt;
  return firmwareItem(w, m, static_cast<std::size_t>(index));
}

}  // namespace

std::string sessionId(const Session& session) {
  return fmt::format("{:010x}", session.token & 0xff'ffff'ffffull);
}

std::optional<Json> servicesBranch(const World& w, const Machine& m, const Path& p) {
  if (p[0] == "AccountService") return accounts(w, m, p);
  if (p[0] == "SessionService") return sessions(m, p);
  if (p[0] == "TaskService") return tasks(w, m, p);
  if (p[0] == "UpdateService") return updates(w, m, p);
  return std::nullopt;
}

}  // namespace zellige::sim
