// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/peer_policy.hpp"

#include <gtest/gtest.h>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Range {
  std::string_view before, first, last, after;  // the outer two empty where the neighbour is denied as well
};

constexpr std::array kDenied{
    Range{"", "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    Range{"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    Range{"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    Range{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    Range{"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    Range{"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    Range{"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    Range{"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    Range{"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
    Range{"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    Range{"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    Range{"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    Range{"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    Range{"223.255.255.255", "224.0.0.0", "239.255.255.255", ""},
    Range{"", "240.0.0.0", "255.255.255.255", ""},
    Range{"", "::", "::", ""},
    Range{"", "::1", "::1", ""},
    Range{"", "::ffff:0:0", "::ffff:255.255.255.255", ""},
    Range{"", "::", "::255.255.255.255", ""},
    Range{"", "::ffff:0:0:0", "::ffff:0:255.255.255.255", ""},
    Range{"", "64:ff9b::", "64:ff9b::255.255.255.255", ""},
    Range{"", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""},
    Range{"", "100::", "100::ffff:ffff:ffff:ffff", ""},
    Range{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
    Range{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
          "2001:db9::"},
    Range{"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
    Range{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
    Range{"", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    Range{"", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    Range{"", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    Range{"", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    Range{"", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
};

TEST(PeerPolicy, DeniesEveryRangeFromItsFirstToItsLastAddress) {
  const PeerPolicy policy{{}};
  for (const Range& range : kDenied) {
    EXPECT_FALSE(policy.allows(ip(range.first))) << range.first;
    EXPECT_FALSE(policy.allows(ip(range.last))) << range.last;
    EXPECT_TRUE(range.before.empty() || policy.allows(ip(range.before))) << range.before;
    EXPECT_TRUE(range.after.empty() || policy.allows(ip(range.after))) << range.after;
  }
}

TEST(PeerPolicy, AllowsPublicAddressesButNotExplicitly) {
  const PeerPolicy policy{{}};
  for (const std::string_view peer : {"1.1.1.1", "8.8.8.8", "9.9.9.9", "2606:4700::1111", "2a00::1"}) {
    EXPECT_TRUE(policy.allows(ip(peer)));
    EXPECT_FALSE(policy.opens_own_address(ip(peer)));
  }
}

TEST(PeerPolicy, AllowsOfIpv6OnlyGlobalUnicast) {
  const PeerPolicy policy{{}};
  for (const std::string_view peer : {"2000::", "2001:200::1", "2606:4700::1111", "3ffe::1",
                                      "3fff:1000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_TRUE(policy.allows(ip(peer))) << peer;
  for (const std::string_view peer :
       {"::1:0:0:0", "::ffff:0:7f00:1", "64:ff9a::1", "64:ff9b:2::1", "64:ff9c::7f00:1", "100:0:0:1::1", "200::1",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5eff::1", "5f01::1", "6000::1", "8000::1", "a000::1",
        "c000::1", "e000::1", "fbff::1", "fe00::1", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_FALSE(policy.allows(ip(peer))) << peer;
}

TEST(PeerPolicy, ALongerAllowOpensWhatLiesOutsideOfGlobalUnicast) {
  const PeerPolicy policy{{.allow = {cidr("64:ff9c::/32"), cidr("4000::/16"), cidr("fd12::/16")}}};
  for (const std::string_view peer : {"64:ff9c::1", "4000::1", "fd12::1"})
    EXPECT_TRUE(policy.allows(ip(peer))) << peer;
  for (const std::string_view peer : {"64:ff9d::1", "4001::1", "fd13::1", "fc00::1"})
    EXPECT_FALSE(policy.allows(ip(peer))) << peer;
}

// Each form in which an IPv6 address can stand for `v4`.
std::vector<IpAddress> embeddings(const IpAddress& v4) {
  const Bytes o = v4.octets();
  const auto with = [](std::string_view prefix, std::initializer_list<std::pair<std::size_t, std::uint8_t>> octets) {
    std::array<std::uint8_t, 16> v6{};
    const IpAddress base = ip(prefix);
    std::copy_n(base.octets().begin(), 16, v6.begin());
    for (const auto& [position, octet] : octets)
      v6[position] = octet;
    return IpAddress{v6};
  };
  const auto inverted = [](std::uint8_t octet) { return static_cast<std::uint8_t>(~octet); };
  return {
      with("::ffff:0:0", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("::", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("::ffff:0:0:0", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("2002::1", {{2, o[0]}, {3, o[1]}, {4, o[2]}, {5, o[3]}}),
      with("64:ff9b::", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("64:ff9b:1::", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("64:ff9b:1:abcd::", {{12, o[0]}, {13, o[1]}, {14, o[2]}, {15, o[3]}}),
      with("64:ff9b:1::", {{6, o[0]}, {7, o[1]}, {9, o[2]}, {10, o[3]}}),
      with("64:ff9b:1::", {{7, o[0]}, {9, o[1]}, {10, o[2]}, {11, o[3]}}),
      with("64:ff9b:1::", {{9, o[0]}, {10, o[1]}, {11, o[2]}, {12, o[3]}}),
      with("2001:0:808:808::",
           {{12, inverted(o[0])}, {13, inverted(o[1])}, {14, inverted(o[2])}, {15, inverted(o[3])}}),
      with("2001::f7f7:f7f7", {{4, o[0]}, {5, o[1]}, {6, o[2]}, {7, o[3]}}),
  };
}

TEST(PeerPolicy, DeniesEveryEmbeddingOfADeniedIpv4AddressThoughIpv6IsAllowed) {
  const PeerPolicy policy{
      {.allow = {cidr("::/0"), cidr("::/96"), cidr("::ffff:0:0/96"), cidr("::ffff:0:0:0/96"), cidr("2002::/16"),
                 cidr("64:ff9b::/96"), cidr("64:ff9b:1::/48"), cidr("2001::/23")}}};
  for (const Range& range : kDenied) {
    for (const std::string_view denied : {range.first, range.last}) {
      if (!ip(denied).is_v4() || denied.starts_with("0.")) continue;  // 0/8 leads nowhere
      for (const IpAddress& embedding : embeddings(ip(denied)))
        EXPECT_FALSE(policy.allows(embedding)) << embedding << " stands for " << denied;
    }
  }
}

TEST(PeerPolicy, AllowsEveryEmbeddingOfAPublicIpv4AddressOnceItsPrefixIsAllowed) {
  const PeerPolicy policy{{.allow = {cidr("::/96"), cidr("::ffff:0:0/96"), cidr("::ffff:0:0:0/96"), cidr("2002::/16"),
                                     cidr("64:ff9b::/96"), cidr("64:ff9b:1::/48"), cidr("2001::/23")}}};
  const PeerPolicy closed{{}};
  for (const IpAddress& embedding : embeddings(ip("8.8.4.4"))) {
    EXPECT_TRUE(policy.allows(embedding)) << embedding;
    EXPECT_FALSE(closed.allows(embedding)) << embedding;
  }
}

TEST(PeerPolicy, AnIpv4DenyHoldsForItsEmbeddings) {
  const PeerPolicy policy{{.allow = {cidr("64:ff9b::/96")}, .deny = {cidr("8.8.0.0/16")}}};
  EXPECT_FALSE(policy.allows(ip("64:ff9b::8.8.4.4")));
  EXPECT_TRUE(policy.allows(ip("64:ff9b::8.9.4.4")));
}

TEST(PeerPolicy, LoopbackOfBothFamiliesCanBeAllowed) {
  const PeerPolicy policy{{.allow = {cidr("127.0.0.1"), cidr("::1")}}};
  EXPECT_TRUE(policy.opens_own_address(ip("127.0.0.1")));
  EXPECT_TRUE(policy.opens_own_address(ip("::1")));
  EXPECT_FALSE(policy.allows(ip("127.0.0.2")));
  EXPECT_FALSE(policy.allows(ip("::")));
  EXPECT_FALSE(policy.allows(ip("::2")));
}

TEST(PeerPolicy, TheLongestPrefixDecides) {
  const PeerPolicy policy{{.allow = {cidr("10.1.0.0/16"), cidr("9.9.9.9/32"), cidr("10.1.2.3/32")},
                           .deny = {cidr("10.1.2.0/24"), cidr("9.0.0.0/8")}}};
  EXPECT_FALSE(policy.allows(ip("10.0.0.1")));
  EXPECT_TRUE(policy.allows(ip("10.1.0.1")));
  EXPECT_FALSE(policy.allows(ip("10.1.2.1")));
  EXPECT_TRUE(policy.allows(ip("10.1.2.3")));
  EXPECT_FALSE(policy.allows(ip("9.9.9.8")));
  EXPECT_TRUE(policy.allows(ip("9.9.9.9")));
  EXPECT_TRUE(policy.allows(ip("11.1.1.1")));
}

TEST(PeerPolicy, AtEqualLengthDenyWinsOverAllowAndAllowOverTheBuiltInList) {
  const PeerPolicy policy{{.allow = {cidr("10.0.0.0/8"), cidr("9.9.9.0/24")}, .deny = {cidr("9.9.9.0/24")}}};
  EXPECT_TRUE(policy.allows(ip("10.1.2.3")));
  EXPECT_FALSE(policy.allows(ip("9.9.9.9")));
  const PeerPolicy closed{{.allow = {cidr("10.0.0.0/8")}, .deny = {cidr("10.0.0.0/8")}}};
  EXPECT_FALSE(closed.allows(ip("10.1.2.3")));
}

TEST(PeerPolicy, AShortAllowDoesNotOpenTheBuiltInList) {
  const PeerPolicy policy{{.allow = {cidr("0.0.0.0/0"), cidr("::/0")}}};
  for (const Range& range : kDenied) {
    EXPECT_FALSE(policy.allows(ip(range.first))) << range.first;
    EXPECT_FALSE(policy.allows(ip(range.last))) << range.last;
  }
}

// So `allow` of the network that the server stands in does not open the server's own ports.
TEST(PeerPolicy, OnlyAHostPrefixOpensAnOwnAddress) {
  const PeerPolicy policy{
      {.allow = {cidr("0.0.0.0/0"), cidr("::/0"), cidr("10.20.0.0/16"), cidr("10.20.0.6/31"), cidr("10.20.0.8/32"),
                 cidr("2001:db8::/64"), cidr("2001:db8::2/127"), cidr("2001:db8::8/128")}}};
  for (const std::string_view own :
       {"9.9.9.9", "2606:4700::1111", "10.20.0.5", "10.20.0.6", "2001:db8::1", "2001:db8::2"}) {
    EXPECT_TRUE(policy.allows(ip(own))) << own;
    EXPECT_FALSE(policy.opens_own_address(ip(own))) << own;
  }
  EXPECT_TRUE(policy.opens_own_address(ip("10.20.0.8")));
  EXPECT_TRUE(policy.opens_own_address(ip("2001:db8::8")));
}

TEST(PeerPolicy, ANetworkOfLoopbackOpensItToo) {
  EXPECT_TRUE(PeerPolicy({.allow = {cidr("127.0.0.0/8")}}).opens_own_address(ip("127.0.0.1")));
  EXPECT_TRUE(PeerPolicy({.allow = {cidr("127.0.0.0/24")}}).opens_own_address(ip("127.0.0.1")));
  EXPECT_FALSE(PeerPolicy({.allow = {cidr("126.0.0.0/7")}}).opens_own_address(ip("127.0.0.1")));
  EXPECT_FALSE(PeerPolicy({.allow = {cidr("::/96"), cidr("::/0")}}).opens_own_address(ip("::1")));
}

TEST(PeerPolicy, ADenyOfTheSameHostKeepsAnOwnAddressClosed) {
  const PeerPolicy policy{{.allow = {cidr("10.20.0.8/32")}, .deny = {cidr("10.20.0.8/32")}}};
  EXPECT_FALSE(policy.opens_own_address(ip("10.20.0.8")));
}

TEST(PeerPolicy, ADenyOfEverythingLeavesOnlyWhatIsAllowed) {
  const PeerPolicy policy{{.allow = {cidr("9.9.9.0/24")}, .deny = {cidr("0.0.0.0/0"), cidr("::/0")}}};
  EXPECT_TRUE(policy.allows(ip("9.9.9.1")));
  EXPECT_FALSE(policy.allows(ip("8.8.8.8")));
  EXPECT_FALSE(policy.allows(ip("2606:4700::1111")));
}

TEST(PeerPolicy, LanOpensExactlyThePrivateRanges) {
  const PeerPolicy policy{{.lan = true}};
  for (const std::string_view peer : {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
                                      "192.168.255.255", "100.64.0.0", "100.127.255.255", "fc00::", "fd12::1",
                                      "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd00:ec2::253", "fd00:ec2::255"}) {
    EXPECT_TRUE(policy.allows(ip(peer))) << peer;
    EXPECT_FALSE(policy.opens_own_address(ip(peer))) << peer;
  }
  for (const std::string_view peer :
       {"fd00:ec2::254", "127.0.0.1", "::1", "169.254.169.254", "169.254.0.1", "fe80::1", "224.0.0.1", "0.0.0.0",
        "192.0.2.1", "2002:a00:1::", "64:ff9b::10.0.0.1", "::ffff:10.0.0.1", "ff02::1"})
    EXPECT_FALSE(policy.allows(ip(peer))) << peer;
}

TEST(PeerPolicy, ADenyNarrowsTheLan) {
  const PeerPolicy policy{{.deny = {cidr("10.0.0.0/24")}, .lan = true}};
  EXPECT_FALSE(policy.allows(ip("10.0.0.1")));
  EXPECT_TRUE(policy.allows(ip("10.0.1.1")));
}

TEST(PeerPolicy, TheMetadataAddressNeedsAnAllowOfItsOwn) {
  EXPECT_FALSE(PeerPolicy({.allow = {cidr("fd00::/8")}}).allows(ip("fd00:ec2::254")));
  EXPECT_TRUE(PeerPolicy({.allow = {cidr("fd00:ec2::254/128")}}).allows(ip("fd00:ec2::254")));
}

TEST(PeerPolicy, AHostPrefixThatEmbedsADeniedAddressOpensNothing) {
  const PeerPolicy policy{{.allow = {cidr("2002:909:901::1/128"), cidr("2002:a00:1::1/128")}}};
  EXPECT_TRUE(policy.opens_own_address(ip("2002:909:901::1")));
  EXPECT_FALSE(policy.opens_own_address(ip("2002:a00:1::1"))) << "10.0.0.1";
}

}  // namespace
}  // namespace causeway::turn
