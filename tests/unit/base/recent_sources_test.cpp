// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/recent_sources.hpp"

#include <gtest/gtest.h>

namespace causeway {
namespace {

using std::chrono::seconds;

TEST(RecentSourcesTest, remembers_a_network_for_a_while) {
  RecentSources sources{seconds{10}, 1};
  const TimePoint now{seconds{1000}};
  sources.add(*IpAddress::parse("2001:db8::1"), now);
  EXPECT_TRUE(sources.contains(*IpAddress::parse("2001:db8::2"), now + seconds{9}));
  EXPECT_FALSE(sources.contains(*IpAddress::parse("2001:db8::2"), now + seconds{10}));
  EXPECT_FALSE(sources.contains(*IpAddress::parse("2001:db8:0:1::1"), now));
  EXPECT_FALSE(sources.contains(*IpAddress::parse("0.0.0.0"), TimePoint{})) << "what an empty place holds";
}

TEST(RecentSourcesTest, takes_no_source_for_another_that_falls_into_its_place) {
  RecentSources sources{seconds{10}, 1};
  const TimePoint now{seconds{1000}};
  const auto source = [](std::size_t i) {
    return IpAddress{std::array<std::uint8_t, 4>{10, static_cast<std::uint8_t>(i >> 16),
                                                 static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
  };
  sources.add(source(0), now);
  for (std::size_t i = 1; i < 3 * RecentSources::kPlaces; ++i)
    EXPECT_FALSE(sources.contains(source(i), now));
}

}  // namespace
}  // namespace causeway
