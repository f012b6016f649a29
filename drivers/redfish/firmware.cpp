// Sending firmware, and the tasks that follow from it. Whether an update worked is never read from a task: the version
// read back decides (firmware(), inventory.cpp).
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drivers/redfish/redfish_bmc.hpp"
#include "drivers/redfish/reply.hpp"
#include "drivers/redfish/uri.hpp"

namespace zellige::redfish {

namespace {

// DSP0268 TaskState, and what else is met (FACTS 6). What is not here runs: a deadline ends it, not a word.
constexpr auto endStates = std::to_array<std::pair<std::string_view, TaskState>>({
    {"Completed", TaskState::Completed},
    {"Exception", TaskState::Failed},
    {"Killed", TaskState::Failed},
    {"Cancelled", TaskState::Failed},
    {"Failed", TaskState::Failed},
});

std::string withoutMonitor(std::string uri) {  // OpenBMC's Location may end in /Monitor (FACTS 6)
  constexpr std::string_view end = "/Monitor";
  if (uri.ends_with(end)) uri.resize(uri.size() - end.size());
  return uri;
}

bool looksLikeTask(std::string_view uri) {
  const auto key = uriKey(uri);
  return key.find("/tasks/") != std::string::npos || key.find("/jobs/") != std::string::npos ||
         key.find("/taskmonitors/") != std::string::npos;
}

}  // namespace

BmcTask readTask(const View& task) {
  BmcTask out;
  out.uri = task.uri();
  const auto word = task.trimmed("TaskState");
  for (const auto& [state, means] : endStates)
    if (word == state) out.state = means;
  if (out.state == TaskState::Completed && task.trimmed("TaskStatus") == "Critical")
    out.state = TaskState::Failed;
  out.percent = static_cast<int>(
      std::clamp<std::int64_t>(task.integer("PercentComplete").value_or(-1), -1, 100));
  for (const auto& message : task.list("Messages"))
    if (auto text = message.trimmed("Message"); !text.empty()) out.message = text.substr(0, 300);
  return out;
}

Task<Result<std::string>> RedfishBmc::tasksUri() {
  if (!known().tasks.empty()) co_return known().tasks;
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  if (known().taskService.empty()) co_return Error{Errc::Unsupported, "the BMC has no task service"};
  auto service = co_await client_.get(known().taskService);
  if (!service) co_return service.error();
  learn([&](Known& k) { k.tasks = service->view().link("Tasks"); });
  if (known().tasks.empty()) co_return Error{Errc::Unsupported, "the task service names no Tasks"};
  co_return known().tasks;
}

Task<Result<std::vector<BmcTask>>> RedfishBmc::tasks() {
  auto uri = co_await tasksUri();
  if (!uri) co_return uri.error();
  auto all = co_await client_.members(*uri);
  if (!all) co_return all.error();
  if (const auto* why = all->unanswered()) co_return *why;  // it may be the one that runs
  std::vector<BmcTask> out;
  for (const auto& document : all->found) {
    out.push_back(readTask(document.view()));
    out.back().uri = document.uri;
  }
  co_return out;
}

Task<Result<BmcTask>> RedfishBmc::task(std::string uri) {
  auto document = co_await client_.get(uri);
  if (!document) co_return document.error();
  auto task = readTask(document->view());
  task.uri = std::move(uri);
  co_return task;
}

// From Location, the body's own URI or Id, or a message's arguments; empty where the machine names none.
Task<Result<std::string>> RedfishBmc::taskOf(Document reply) {
  if (looksLikeTask(reply.location)) co_return withoutMonitor(reply.location);
  const auto view = reply.view();
  if (const auto uri = view.link("@odata.id"); looksLikeTask(uri)) co_return withoutMonitor(uri);
  auto messages = view.list("Messages");
  for (const auto& info : view.list("@Message.ExtendedInfo")) messages.push_back(info);
  for (const auto& message : messages)
    for (const auto& argument : message.texts("MessageArgs"))
      if (const auto uri = localPath(argument); looksLikeTask(uri)) co_return withoutMonitor(uri);
  const auto id = view.trimmed("Id");
  if (id.empty() || !view.has("TaskState")) co_return std::string{};
  auto uri = co_await tasksUri();
  if (!uri) co_return uri.error();
  auto all = co_await client_.links(*uri);
  if (!all) co_return all.error();
  for (const auto& link : *all)
    if (lastSegment(link) == id) co_return link;
  co_return std::string{};
}

Task<Result<std::string>> RedfishBmc::pushFirmware(PackageFile package, std::vector<std::string> targets,
                                                   bool force) {
  if (auto ok = client_.armed("firmware push"); !ok) co_return ok.error();
  std::error_code failed;
  const auto size = std::filesystem::file_size(package.file, failed);
  if (failed) co_return Error{Errc::Invalid, fmt::format("package {}: {}", package.name, failed.message())};
  auto systems = co_await readSystems();
  if (!systems) co_return systems.error();
  auto service = co_await client_.get(known().updateService);
  if (!service) co_return service.error();
  const auto view = service->view();
  const bool plain = platform().push == Push::Plain;
  const auto uri = view.link(plain ? "HttpPushUri" : "MultipartHttpPushUri");
  if (uri.empty())
    co_return Error{Errc::Unsupported,
                    fmt::format("the update service takes no {} push", plain ? "plain" : "multipart")};
  if (const auto most = view.integer("MaxImageSizeBytes").value_or(0);
      most > 0 && size > static_cast<std::uintmax_t>(most))
    co_return Error{Errc::Rejected,
                    fmt::format("package {} has {} bytes; the BMC takes at most {}; nothing was sent",
                                package.name, size, most)};
  if (plain && !targets.empty())
    co_return Error{Errc::Unsupported, "this machine's update service takes no targets; nothing was sent"};
  Json parameters{{"Targets", targets}};
  if (force || platform().pushForceAlways) parameters["ForceUpdate"] = force;
  if (platform().pushApplyNow) parameters["@Redfish.OperationApplyTime"] = "Immediate";
  http::Upload upload{plain ? std::string{} : parameters.dump(), std::move(package.file),
                      std::move(package.name)};
  auto sent = co_await client_.upload(uri, std::move(upload));
  if (!sent) co_return sent.error();
  auto task = co_await taskOf(*sent);
  if (!task) co_return std::string{};  // accepted all the same; the task list will show it
  co_return task;
}

}  // namespace zellige::redfish
