#include "tests/commands/undone.hpp"

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"

namespace zellige {

TrayEnd bringUp(Bringup bringup) {
  log::setLevel(log::Level::Off);
  VirtualSiteOptions options;
  options.fleet.trays = 1;
  if (bringup.fault) options.fleet.scripted = {*bringup.fault};
  options.editSite = std::move(bringup.editSite);
  const VirtualSite* running = nullptr;
  if (bringup.undoing)
    options.between = [&](http::Transport& wire) {
      return std::make_unique<Undone>(wire, *bringup.undoing, [&] { return running->now(); });
    };
  Scratch scratch;
  VirtualSite site(scratch.path(), options);
  running = &site;
  site.run(48h);
  TrayEnd out;
  out.end = endOf(site);
  for (const auto& [kind, count] : out.end.faultsFired) out.fired += count;
  return out;
}

}  // namespace zellige
