#include "controller/site/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/model/catalog.hpp"

namespace zellige {
namespace {

using testing::ElementsAre;

template <class Read>
std::vector<std::string> reading(const std::string& scalar, Read read) {
  Source source("f", scalar);
  if (source.problems.none()) read(source.document.root(), source.problems);
  std::vector<std::string> reasons;
  for (const auto& problem : source.problems.take()) reasons.push_back(problem.reason);
  return reasons;
}

TEST(Fields, TellsUnknownAndMissingKeysTogether) {
  Source source("f", "sreial: 1\nfrobnicate: 2\n");
  const Fields fields(source.document.root(), source.problems, "a node", {"serial", "kind"});
  fields.text("serial");
  std::vector<std::string> lines;
  for (const auto& problem : source.problems.take()) lines.push_back(describe(problem));
  EXPECT_THAT(lines, ElementsAre("f:1:1: unknown key 'sreial' in a node, did you mean 'serial'?",
                                 "f:1:1: missing key 'serial' in a node",
                                 "f:2:1: unknown key 'frobnicate' in a node"));
}

// A manifest of the fuzzer: 866666666666666 minutes overflowed when they became milliseconds.
TEST(Fields, GivesANumberInRangeWhateverWasWritten) {
  for (const auto* text : {"866666666666666", "-5", "99999999999999999999", "x", "'7'", "[1]"}) {
    std::int64_t number = 0;
    reading(text, [&](Value v, Problems& p) { number = readWhole(v, p, 1, 60); });
    EXPECT_EQ(number, 1) << text;
  }
}

TEST(Fields, ReadsWholeNumbersOnlyPlainAndInRange) {
  const auto port = [](Value v, Problems& p) { readWhole(v, p, 1, 65535); };
  EXPECT_THAT(reading("8443", port), ElementsAre());
  EXPECT_THAT(reading("'8443'", port), ElementsAre("'8443' is not a whole number; leave out the quotes"));
  EXPECT_THAT(reading("0", port), ElementsAre("'0' is out of range: 1 to 65535"));
  EXPECT_THAT(reading("65536", port), ElementsAre("'65536' is out of range: 1 to 65535"));
  EXPECT_THAT(reading("99999999999999999999", port),
              ElementsAre("'99999999999999999999' is out of range: 1 to 65535"));
  EXPECT_THAT(reading("84x", port), ElementsAre("'84x' is not a whole number"));
  EXPECT_THAT(reading("0x50", port), ElementsAre("'0x50' is not a whole number"));
  EXPECT_THAT(reading("[1]", port), ElementsAre("must be a whole number, not a list"));
  EXPECT_THAT(reading("~", port), ElementsAre("must be a whole number, not nothing"));
}

TEST(Fields, ReadsRealNumbersAndFlags) {
  const auto real = [](Value v, Problems& p) { readReal(v, p); };
  EXPECT_THAT(reading("-2.5e3", real), ElementsAre());
  EXPECT_THAT(reading("nan", real), ElementsAre("'nan' is not a number"));
  EXPECT_THAT(reading("1e999", real), ElementsAre("'1e999' is not a number"));
  const auto flag = [](Value v, Problems& p) { readFlag(v, p); };
  EXPECT_THAT(reading("true", flag), ElementsAre());
  EXPECT_THAT(reading("yes", flag), ElementsAre("'yes' is neither true nor false"));
  EXPECT_THAT(reading("'true'", flag), ElementsAre("'true' is neither true nor false"));
}

TEST(Fields, ReadsDurationsWithTheirUnit) {
  Duration got{0};
  const auto duration = [&](Value v, Problems& p) { got = readDuration(v, p, 1s, 24h); };
  for (const auto& [text, wanted] : {std::pair{"1500ms", Duration{1500}},
                                     {"30s", Duration{30'000}},
                                     {"10m", Duration{600'000}},
                                     {"2h", Duration{7'200'000}},
                                     {"1d", Duration{86'400'000}}}) {
    EXPECT_THAT(reading(text, duration), ElementsAre()) << text;
    EXPECT_EQ(got, wanted) << text;
  }
  EXPECT_THAT(reading("10", duration),
              ElementsAre("'10' is not a duration; write 500ms, 30s, 10m, 2h or 7d"));
  EXPECT_THAT(reading("s", duration), ElementsAre("'s' is not a duration; write 500ms, 30s, 10m, 2h or 7d"));
  EXPECT_THAT(reading("2d", duration), ElementsAre("'2d' is out of range: 1 s to 86400 s"));
  EXPECT_THAT(reading("999ms", duration), ElementsAre("'999ms' is out of range: 1 s to 86400 s"));
  EXPECT_THAT(reading("-5s", duration), ElementsAre("'-5s' is out of range: 1 s to 86400 s"));
  EXPECT_THAT(reading("9223372036854775807d", duration),
              ElementsAre("'9223372036854775807d' is out of range: 1 s to 86400 s"));
}

TEST(Fields, ReadsDigestsInLowerCase) {
  std::string digest;
  const auto read = [&](Value v, Problems& p) { digest = readSha256(v, p); };
  EXPECT_THAT(reading(std::string(32, 'A') + std::string(32, '7'), read), ElementsAre());
  EXPECT_EQ(digest, std::string(32, 'a') + std::string(32, '7'));
  EXPECT_THAT(reading("abc", read), ElementsAre("'abc' is not a SHA-256 digest of 64 hex digits"));
  EXPECT_THAT(reading(std::string(64, 'g'), read).size(), 1u);
}

TEST(Fields, HintsAtTheNearestWord) {
  const auto read = [](Value v, Problems& p) { readName<Activation>(v, p, "an activation"); };
  EXPECT_THAT(reading("bmc_reset", read), ElementsAre());
  EXPECT_THAT(reading("bmc-reset", read),
              ElementsAre("'bmc-reset' is not an activation, did you mean 'bmc_reset'?"));
  EXPECT_THAT(reading("sunrise", read),
              ElementsAre("'sunrise' is not an activation; known: none, bmc_reset, host_cycle, aux_cycle"));
}

TEST(Fields, NeverShowsASecret) {
  const auto read = [](Value v, Problems& p) { readSecret(v, p); };
  EXPECT_THAT(reading("\"hunter2\\t\"", read), ElementsAre("the secret has a control character"));
  EXPECT_THAT(reading("''", read), ElementsAre("the secret must not be empty"));
  EXPECT_THAT(reading("hunter2", read), ElementsAre());
}

}  // namespace
}  // namespace zellige
