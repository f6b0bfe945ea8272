// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/log_limit.hpp"

#include <gmock/gmock.h>

#include "addresses.hpp"
#include "fake_time.hpp"

namespace causeway {
namespace {

using test::ip;
using namespace std::chrono_literals;
using test::kStart;
using testing::Eq;
using testing::Optional;

enum class Reason : std::uint8_t { kNoHeader, kBadHeader };

IpAddress stranger(std::uint32_t number) {
  return IpAddress{std::array<std::uint8_t, 4>{10, static_cast<std::uint8_t>(number >> 16),
                                               static_cast<std::uint8_t>(number >> 8),
                                               static_cast<std::uint8_t>(number)}};
}

class LogLimitTest : public testing::Test {
 protected:
  LogLimit limit_{1};
};

TEST_F(LogLimitTest, WritesOneLineOfASourceInAnIntervalAndCountsTheOthers) {
  const IpAddress source = ip("192.0.2.1");
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, source, kStart), Optional(0));
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(limit_.admit(Reason::kNoHeader, source, kStart + 59s), std::nullopt);
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, source, kStart + 60s), Optional(500));
  EXPECT_EQ(limit_.admit(Reason::kNoHeader, source, kStart + 61s), std::nullopt);
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, source, kStart + 120s), Optional(1));
  EXPECT_EQ(limit_.left_out(), 501U);
}

TEST_F(LogLimitTest, CountsAnIPv6NetworkAsOneSource) {
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, ip("2001:db8::1"), kStart), Optional(0));
  EXPECT_EQ(limit_.admit(Reason::kNoHeader, ip("2001:db8::ffff:1"), kStart), std::nullopt);
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, ip("2001:db8:0:1::1"), kStart), Optional(1));
}

TEST_F(LogLimitTest, TellsReasonsApart) {
  const IpAddress source = ip("192.0.2.1");
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, source, kStart), Optional(0));
  EXPECT_THAT(limit_.admit(Reason::kBadHeader, source, kStart), Optional(0));
  EXPECT_EQ(limit_.admit(Reason::kNoHeader, source, kStart), std::nullopt);
  EXPECT_THAT(limit_.admit(Reason::kBadHeader, source, kStart + 60s), Optional(0)) << "its own count";
}

TEST_F(LogLimitTest, DoesNotLetARepetitiveSourceSilenceOthers) {
  for (int i = 0; i < 10'000; ++i)
    limit_.admit(Reason::kNoHeader, ip("192.0.2.1"), kStart);
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, ip("192.0.2.2"), kStart), Optional(9'999));
}

TEST_F(LogLimitTest, LimitsWhatManySourcesCauseTogether) {
  std::uint64_t written = 0;
  std::uint64_t counted = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {  // in one minute
    if (const auto left_out = limit_.admit(Reason::kNoHeader, stranger(i), kStart + i * 600us)) {
      ++written;
      counted += *left_out;
    }
  }
  EXPECT_LE(written, 20U) << "a burst of 10 and one in 6 s";
  EXPECT_GE(written, 19U);
  const auto last = limit_.admit(Reason::kNoHeader, stranger(100'000), kStart + 3600s);
  ASSERT_TRUE(last);
  EXPECT_EQ(written + counted + *last, 100'000U) << "no line is lost uncounted";
}

TEST_F(LogLimitTest, LimitsAReasonWithoutASource) {
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(limit_.admit(Reason::kNoHeader, kStart), Optional(0));
  EXPECT_EQ(limit_.admit(Reason::kNoHeader, kStart + 5s), std::nullopt);
  EXPECT_THAT(limit_.admit(Reason::kNoHeader, kStart + 6s), Optional(1));
}

TEST(LogLimitRateTest, TakesOtherRates) {
  LogLimit limit{1, {1s, 3}, {1s, 100}};
  const IpAddress source = ip("192.0.2.1");
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(limit.admit(Reason::kNoHeader, source, kStart), Optional(0));
  EXPECT_EQ(limit.admit(Reason::kNoHeader, source, kStart), std::nullopt);
  EXPECT_THAT(limit.admit(Reason::kNoHeader, source, kStart + 1s), Optional(1));
}

}  // namespace
}  // namespace causeway
