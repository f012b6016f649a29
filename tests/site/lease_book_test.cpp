// What the book of leases tells of several files, and of files that are being written.
#include "controller/site/lease_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/folder.hpp"
#include "tests/site/kea.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Book : public testing::Test {
 protected:
  std::vector<std::string> news(LeaseBook& book, bool all = false) {
    std::vector<std::string> out;
    auto told = book.news(now_, all);
    troubles_ = told.troubles;
    for (const auto& lease : told.leases) out.push_back(lease.mac + " " + lease.address + " " + lease.place);
    return out;
  }
  LeaseFile file(const std::string& name, LeaseFormat format = LeaseFormat::Dnsmasq) {
    return {folder_.path() / name, format};
  }
  Time now_ = fromMillis(1'800'000'000'000);
  Folder folder_;
  std::vector<LeaseBook::Trouble> troubles_;
};

TEST_F(Book, TellsOnlyWhatIsNew) {
  LeaseBook book({file("a")}, {});
  EXPECT_THAT(news(book), IsEmpty());
  ASSERT_EQ(troubles_.size(), 1u) << "the file is not there";
  EXPECT_THAT(news(book), IsEmpty());
  EXPECT_THAT(troubles_, IsEmpty()) << "told once";
  folder_.write("a", "0 3c:6d:66:00:00:01 10.0.0.1 * *\n0 3c:6d:66:00:00:02 10.0.0.2 * *\n");
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 ", "3c:6d:66:00:00:02 10.0.0.2 "));
  EXPECT_THAT(news(book), IsEmpty());
  EXPECT_EQ(news(book, true).size(), 2u) << "all were asked for";
  folder_.write("b", "1900000000 3c:6d:66:00:00:01 10.0.0.1 * *\n0 3c:6d:66:00:00:02 10.0.0.9 * *\n");
  std::filesystem::rename(folder_.path() / "b", folder_.path() / "a");
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:02 10.0.0.9 ")) << "a renewal is no news";
}

TEST_F(Book, OfSeveralLeasesOfOneMacTakesTheNewestAndIpv4First) {
  folder_.write("a",
                "1800000100 3c:6d:66:00:00:01 10.0.0.1 * *\n1800000300 3c:6d:66:00:00:01 10.0.0.3 * *\n"
                "1800000200 3c:6d:66:00:00:01 10.0.0.2 * *\nduid 00\n"
                "1800000900 1 fd00::1 * 00:03:00:01:3c:6d:66:00:00:01\n");
  LeaseBook book({file("a")}, {});
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.3 "));
}

TEST_F(Book, SaysWhereACircuitLeads) {
  folder_.write("kea", std::string(kKeaHead) +
                           "10.0.0.1,3c:6d:66:00:00:01,,9,1800003600,1,0,0,,0,"
                           "{\"ISC\": {\"relay-agent-info\": \"0x0108657468302F312F37\"}},0\n");
  LeaseBook book({file("kea", LeaseFormat::Kea)}, {{"eth0/1/7", "H1/R01/RK001"}});
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 H1/R01/RK001"));
}

TEST_F(Book, AFileThatCannotBeReadSilencesNoOther) {
  folder_.write("a", "0 3c:6d:66:00:00:01 10.0.0.1 * *\n");
  LeaseBook book({file("missing"), file("a")}, {});
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 "));
  ASSERT_EQ(troubles_.size(), 1u);
  EXPECT_THAT(troubles_[0].file, HasSubstr("missing"));
}

// As when a site moves from dnsmasq to Kea: the old server's lease is not over when the new one gives the address away.
TEST_F(Book, OfTwoFilesThatGiveOneAddressTheNewerLeaseHolds) {
  folder_.write("old", "1800000600 3c:6d:66:00:00:02 10.0.0.1 * *\n0 3c:6d:66:00:00:03 10.0.0.3 * *\n");
  folder_.write("new",
                "1800086400 3c:6d:66:00:00:01 10.0.0.1 * *\n1800086400 3c:6d:66:00:00:02 10.0.0.2 * *\n");
  for (const auto& files : {std::vector{file("old"), file("new")}, std::vector{file("new"), file("old")}}) {
    LeaseBook book(files, {});
    for (const bool all : {false, true})
      EXPECT_THAT(news(book, all), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 ", "3c:6d:66:00:00:02 10.0.0.2 ",
                                               "3c:6d:66:00:00:03 10.0.0.3 "));
  }
  std::filesystem::remove(folder_.path() / "new");
  folder_.write("new", "1800086400 3c:6d:66:00:00:01 10.0.0.1 * *\n");
  LeaseBook book({file("new"), file("old")}, {});
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 ", "3c:6d:66:00:00:03 10.0.0.3 "))
      << "who held it before has none";
}

TEST_F(Book, AFileThatCannotBeReadSaysWhatItSaidBefore) {
  folder_.write("v4", "1800000600 3c:6d:66:00:00:01 10.0.0.1 * *\n");
  folder_.write("v6", "duid 00\n0 1 fd00::1 * 00:03:00:01:3c:6d:66:00:00:01\n");
  LeaseBook book({file("v4"), file("v6")}, {});
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 "));
  std::filesystem::rename(folder_.path() / "v4", folder_.path() / "aside");
  EXPECT_THAT(news(book), IsEmpty()) << "the BMC has not moved";
  EXPECT_THAT(troubles_.size(), 1u);
  EXPECT_THAT(news(book, true), ElementsAre("3c:6d:66:00:00:01 10.0.0.1 "));
  std::filesystem::rename(folder_.path() / "aside", folder_.path() / "v4");
  EXPECT_THAT(news(book), IsEmpty());
  std::filesystem::remove(folder_.path() / "v4");
  now_ += 1h;
  EXPECT_THAT(news(book, true), ElementsAre("3c:6d:66:00:00:01 fd00::1 "))
      << "but a lease that is over is over";
}

// dnsmasq truncates its file and writes it again, Kea begins a new one at its cleanup: we may read in between.
TEST_F(Book, WhatVanishesBeforeItsTimeIsGoneWhenItIsStillGoneAtTheNextLook) {
  const std::string first = "1800000600 3c:6d:66:00:00:01 10.0.0.1 * *\n",
                    second = "0 3c:6d:66:00:00:02 10.0.0.2 * *\n";
  folder_.write("v4", first + second);
  folder_.write("v6", "duid 00\n0 1 fd00::1 * 00:03:00:01:3c:6d:66:00:00:01\n");
  LeaseBook book({file("v4"), file("v6")}, {});
  EXPECT_EQ(news(book).size(), 2u);
  for (const auto& halfWritten : {std::string{}, second}) {
    folder_.write("v4", halfWritten);
    EXPECT_THAT(news(book), IsEmpty());
    folder_.write("v4", first + second);
    EXPECT_THAT(news(book), IsEmpty()) << "it was being written";
  }
  folder_.write("v4", second);
  EXPECT_THAT(news(book), IsEmpty());
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 fd00::1 ")) << "the file stayed as it is";
  EXPECT_THAT(news(book), IsEmpty());
}

TEST_F(Book, WhatHasMovedInsideOneFileIsNotWaitedFor) {
  folder_.write("a", "0 3c:6d:66:00:00:01 10.0.0.1 * *\n0 3c:6d:66:00:00:02 10.0.0.2 * *\n");
  LeaseBook book({file("a")}, {});
  EXPECT_EQ(news(book).size(), 2u);
  folder_.write("a",
                "1800000600 3c:6d:66:00:00:01 10.0.0.9 * *\n1800000600 3c:6d:66:00:00:03 10.0.0.2 * *\n");
  EXPECT_THAT(news(book), ElementsAre("3c:6d:66:00:00:01 10.0.0.9 ", "3c:6d:66:00:00:03 10.0.0.2 "));
}

}  // namespace
}  // namespace zellige
