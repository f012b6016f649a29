// Firmware updates through the BMC: the push, the flash, what it activates. Internal.
#pragma once

#include "drivers/simulator/world.hpp"

namespace zellige::sim::firmware {

/// POST of the MultipartHttpPushUri, of a shelf the HttpPushUri. One update at a time; see FACTS 6.
HttpReply push(World& w, Machine& m, const HttpRequest& request);

/// Power or BMC is gone while a flash runs: its slots are damaged, the old versions stay.
void interrupt(World& w, Machine& m);
/// The BMC died by itself: the flash is gone as if it had never been, but for the time.
void lose(World& w, Machine& m);
/// Pending versions of `bundle` become active; a background copy begins. False: nothing was pending.
bool activate(World& w, Machine& m, Bundle bundle);

void addTask(Machine& m, UpdateTask task);
/// 202 with the task that was added last.
HttpReply taskReply(const World& w, const Machine& m);
/// "0" or "HGX_0".
std::string taskId(const UpdateTask& task);
/// PercentComplete jumps 0, 20, 40, 100 (FACTS 6).
int percent(const World& w, const UpdateTask& task);
const UpdateTask* findTask(const Machine& m, std::string_view id);

}  // namespace zellige::sim::firmware
