// SPDX-License-Identifier: Apache-2.0
#include "config/address_range.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace causeway;
using namespace causeway::config;
using testing::ElementsAre;

namespace {

AddressRange range(std::string_view text) {
  return parse_address_range(text).value();
}

std::vector<std::string> prefixes(std::string_view text) {
  std::vector<std::string> texts;
  for (const Prefix& prefix : prefixes_of(range(text)))
    texts.push_back(prefix.to_string());
  return texts;
}

}  // namespace

TEST(AddressRange, TakesAnAddressARangeOrAPrefix) {
  EXPECT_EQ(range("192.0.2.7"), range("192.0.2.7-192.0.2.7"));
  EXPECT_EQ(range("192.0.2.0/24"), range("192.0.2.0-192.0.2.255"));
  EXPECT_EQ(range("::/0").last.to_string(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  for (const char* wrong : {"", "-", "192.0.2.1-", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "example.org"}) {
    EXPECT_EQ(parse_address_range(wrong), std::nullopt) << wrong;
  }
}

TEST(AddressRange, IsCoveredByTheFewestPrefixes) {
  EXPECT_THAT(prefixes("10.0.0.0-10.255.255.255"), ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(prefixes("192.0.2.5"), ElementsAre("192.0.2.5/32"));
  EXPECT_THAT(prefixes("192.0.2.1-192.0.2.6"),
              ElementsAre("192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32"));
  EXPECT_THAT(prefixes("0.0.0.0-255.255.255.255"), ElementsAre("0.0.0.0/0"));
  EXPECT_THAT(prefixes("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ElementsAre("::/0"));
  EXPECT_THAT(prefixes("fd00::ffff-fd00::1:0"), ElementsAre("fd00::ffff/128", "fd00::1:0/128"));
  EXPECT_EQ(prefixes("0.0.0.1-255.255.255.254").size(), 62U);
  EXPECT_EQ(prefixes("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").size(), 254U);
}

TEST(AddressRange, PrefixesHoldEveryAddressOfTheRangeAndNoOther) {
  const auto covering = prefixes_of(range("192.0.2.3-192.0.2.77"));
  for (int last = 0; last < 256; ++last) {
    const IpAddress address{std::array<std::uint8_t, 4>{192, 0, 2, static_cast<std::uint8_t>(last)}};
    const auto holders =
        std::count_if(covering.begin(), covering.end(), [&](const Prefix& prefix) { return prefix.contains(address); });
    EXPECT_EQ(holders, last >= 3 && last <= 77 ? 1 : 0) << address.to_string();
  }
}
