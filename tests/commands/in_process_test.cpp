// The in-process door where a controller dies between a request and its arrival.
#include "controller/commands/in_process.hpp"

#include <gtest/gtest.h>

#include "tests/drivers/simulator/client.hpp"

namespace zellige {
namespace {

Task<void> sendOne(http::Transport& transport, http::Peer peer) {
  HttpRequest request;
  request.target = "/redfish/v1";
  (void)co_await transport.send(std::move(peer), std::move(request), {});
}

TEST(InProcess, WhatIsOnTheWireArrivesAfterItsSenderDied) {
  sim::Hall hall;
  const auto machine = hall.fleet.machines().front();
  const auto address = hall.fleet.address(machine);
  http::Peer peer;
  peer.address = address.host;
  peer.port = static_cast<std::uint16_t>(address.port);
  CrashPlan crash;
  ExchangeCount count;
  int arrived = 0;
  {
    VirtualExecutor controller(hall.time);
    InProcessTransport transport(hall.fleet, hall.executor, controller, crash, count,
                                 [&](sim::MachineId, const HttpRequest&, sim::Delivery&) { ++arrived; });
    controller.spawn(sendOne(transport, peer));
    while (count.sent == 0 && hall.time.runOne()) {
    }
    controller.shutDown();
  }
  hall.pass(1s);
  EXPECT_EQ(arrived, 1);
}

}  // namespace
}  // namespace zellige
