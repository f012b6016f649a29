#include "drivers/redfish/exchange_log.hpp"

#include <gtest/gtest.h>

#include "controller/base/result.hpp"

namespace zellige::redfish {
namespace {

Exchange poll(std::string path, int second, int status = 200) {
  return {
      fromMillis(second * std::int64_t{1000}), "GET", std::move(path), status, Duration{150}, 1'234, "", 1};
}

TEST(ExchangeLog, GivesBackWhatItWasGiven) {
  ExchangeLog log;
  EXPECT_TRUE(log.read().empty());
  log.add({fromMillis(1'700'000'000'123), "PATCH", "/redfish/v1/Managers/BMC_0", 0, Duration{120'000}, 0,
           std::string(name(Errc::Timeout)), 1});
  log.add(poll("/redfish/v1", 2));
  const auto kept = log.read();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].at, fromMillis(1'700'000'000'123));
  EXPECT_EQ(kept[0].method, "PATCH");
  EXPECT_EQ(kept[0].path, "/redfish/v1/Managers/BMC_0");
  EXPECT_EQ(kept[0].status, 0);
  EXPECT_EQ(kept[0].took, Duration{120'000});
  EXPECT_EQ(kept[0].problem, name(Errc::Timeout));
  EXPECT_EQ(kept[1].path, "/redfish/v1");
  EXPECT_EQ(kept[1].bytes, 1'234);
  EXPECT_EQ(kept[1].problem, "");
  EXPECT_EQ(kept[1].times, 1);
}

TEST(ExchangeLog, CountsAPollThatIsAnsweredAsBefore) {
  ExchangeLog log;
  for (int i = 0; i < 100'000; ++i) log.add(poll("/redfish/v1/TaskService/Tasks/1", i));
  log.add(poll("/redfish/v1/TaskService/Tasks/1", 100'000, 404));
  log.add(poll("/redfish/v1/TaskService/Tasks/1", 100'001));
  const auto kept = log.read();
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].times, 65'535);  // as far as it counts
  EXPECT_EQ(kept[0].at, fromMillis(99'999'000));
  EXPECT_EQ(kept[1].status, 404);
  EXPECT_EQ(kept[2].times, 1);
}

TEST(ExchangeLog, KeepsTheNewestInItsFewBytes) {
  ExchangeLog log;
  for (int i = 0; i < 1'000; ++i)
    log.add(poll("/redfish/v1/Systems/System_0/Processors/" + std::to_string(i), i));
  const auto kept = log.read();
  ASSERT_GT(kept.size(), 10u);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const int n = 1'000 - static_cast<int>(kept.size() - i);
    EXPECT_EQ(kept[i].path, "/redfish/v1/Systems/System_0/Processors/" + std::to_string(n));
    EXPECT_EQ(kept[i].at, fromMillis(n * std::int64_t{1000}));
  }
}

TEST(ExchangeLog, KeepsTheBeginningOfALongPath) {
  ExchangeLog log;
  const std::string root = "/redfish/v1/";
  for (const auto& path : {std::string(100'000, 'x'), root + std::string(100'000, 'y'), root}) {
    log.add(poll(path, 1));
    EXPECT_EQ(log.read().back().path, path.substr(0, 200));
  }
}

}  // namespace
}  // namespace zellige::redfish
