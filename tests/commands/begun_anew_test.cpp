// Runs that end before their time, and the runs that a person begins after them: what the first one did to the machine,
// the second one does not do again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/base/log.hpp"
#include "controller/commands/scratch.hpp"
#include "controller/commands/site_end.hpp"

namespace zellige {
namespace {

Task<void> cancelRun(VirtualSite& site, RunId run) {
  (void)co_await site.plane().engine().cancel(run, "ada", "the wrong tray");
}

Task<void> qualify(VirtualSite& site, NodeId node) {
  StartRun request;
  request.workflow = "qualify";
  request.subject = {node};
  request.profile = site.store().node(node)->profile;
  request.startedBy = "ada";
  (void)co_await site.plane().engine().start(std::move(request));
}

struct Pause {
  std::string name;
  Duration length;
};
void PrintTo(const Pause& pause, std::ostream* out) { *out << pause.name; }

/// Between the two runs.
class BegunAnew : public testing::TestWithParam<Pause> {};

// At every second minute of a bring-up somebody cancels it, and begins it again.
TEST_P(BegunAnew, ARunDoesNothingASecondTimeThatACancelledOneDid) {
  log::setLevel(log::Level::Off);
  int cancelled = 0;
  for (auto at = 2min;; at += 2min) {
    Scratch scratch;
    VirtualSiteOptions options;
    options.fleet.trays = 1;
    VirtualSite site(scratch.path(), options);
    site.runFor(at);
    const auto node = *site.store().nodeBySerial(site.fleet().serial({0}));
    const auto run = site.store().unfinishedRunOf(node);
    if (!run) break;
    SCOPED_TRACE(testing::Message() << "cancelled after " << at.count() << " min, in "
                                    << site.store().run(*run)->step);
    site.spawn(cancelRun(site, *run));
    site.runFor(GetParam().length);
    ASSERT_EQ(site.store().run(*run)->state, RunState::Cancelled);
    ++cancelled;
    site.spawn(qualify(site, node));
    site.runFor(6h);
    const auto end = endOf(site);
    EXPECT_EQ(end.available, 1);
    EXPECT_THAT(end.duplicates, testing::IsEmpty());
    EXPECT_THAT(end.unexpected, testing::IsEmpty());
    EXPECT_TRUE(end.good());
  }
  EXPECT_GT(cancelled, 20);
}

INSTANTIATE_TEST_SUITE_P(Pauses, BegunAnew, testing::Values(Pause{"AtOnce", 10s}, Pause{"AnHourLater", 1h}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace zellige
