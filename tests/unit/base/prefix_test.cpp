// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/prefix.hpp"

#include <gtest/gtest.h>

#include "addresses.hpp"

namespace causeway {
namespace {

using test::ip;

bool contains(std::string_view prefix, std::string_view address) {
  return Prefix::parse(prefix).value().contains(ip(address));
}

TEST(Prefix, ParsesAndWrites) {
  for (const auto* text :
       {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "fd00::/8", "::/0", "2001:db8::1/128", "64:ff9b:1::/48"}) {
    ASSERT_TRUE(Prefix::parse(text)) << text;
    EXPECT_EQ(Prefix::parse(text)->to_string(), text);
  }
  EXPECT_EQ(Prefix::parse("192.0.2.1"), Prefix(ip("192.0.2.1"), 32));
  EXPECT_EQ(Prefix::parse("::1"), Prefix(ip("::1"), 128));
}

TEST(Prefix, RefusesSlipsOfThePen) {
  for (const auto* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/256", "10.0.0.0/-1",
                           "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.1/8", "fd00::1/8",
                           "10/8", "172.20.0.0/11", "10.0.0.0/0x8"}) {
    EXPECT_EQ(Prefix::parse(text), std::nullopt) << text;
  }
}

TEST(Prefix, ContainsByBits) {
  EXPECT_TRUE(contains("172.16.0.0/12", "172.16.0.0"));
  EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
  EXPECT_FALSE(contains("172.16.0.0/12", "172.15.255.255"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(contains("fe80::/10", "febf::1"));
  EXPECT_FALSE(contains("fe80::/10", "fec0::1"));
  EXPECT_TRUE(contains("::1/128", "::1"));
  EXPECT_FALSE(contains("::1/128", "::"));
}

TEST(Prefix, NeverContainsTheOtherFamily) {
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(contains("::/0", "ffff::"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::"));
  EXPECT_FALSE(contains("::/0", "0.0.0.0"));
}

TEST(Prefix, ConstructionClearsBitsAndBoundsLength) {
  EXPECT_EQ(Prefix(ip("10.1.2.3"), 8).to_string(), "10.0.0.0/8");
  EXPECT_EQ(Prefix(ip("10.1.2.3"), 15).to_string(), "10.0.0.0/15");
  EXPECT_EQ(Prefix(ip("10.1.2.3"), 200).to_string(), "10.1.2.3/32");
  EXPECT_EQ(Prefix(ip("2001:db8:ffff::1"), 33).to_string(), "2001:db8:8000::/33");
}

}  // namespace
}  // namespace causeway
