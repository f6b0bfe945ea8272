// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/endpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "addresses.hpp"

namespace causeway {
namespace {

using test::ip;

std::string normalized(std::string_view text) {
  return ip(text).to_string();
}

TEST(IpAddress, ParsesIPv4) {
  EXPECT_EQ(ip("192.0.2.1"), IpAddress(std::array<std::uint8_t, 4>{192, 0, 2, 1}));
  EXPECT_EQ(ip("192.0.2.1").octets().size(), 4u);
  EXPECT_TRUE(ip("255.255.255.255").is_v4());
}

// RFC 5952 §4 and §5
TEST(IpAddress, WritesIPv6InItsCanonicalForm) {
  EXPECT_EQ(normalized("2001:0db8:0000:0000:0001:0000:0000:0001"), "2001:db8::1:0:0:1");
  EXPECT_EQ(normalized("2001:DB8::ABCD"), "2001:db8::abcd");
  EXPECT_EQ(normalized("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(normalized("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(normalized("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(normalized("::1"), "::1");
  EXPECT_EQ(normalized("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
  EXPECT_EQ(ip("::").octets().size(), 16u);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"", " ", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", "192.0.2.1:80",
                                      "0x7f.1", "1.2.3.4.5", "fe80::1%eth0", "[::1]", "::1::", "2001:db8",
                                      "12345::", "g::", "localhost", "0000:0000:0000:0000:0000:ffff:255.255.255.2555",
                                      "0000:0000:0000:0000:0000:ffff:255.255.255.2555555555555555"}) {
    EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(IpAddress::parse(std::string_view{"::1\0", 4}), std::nullopt);
  EXPECT_EQ(IpAddress::parse(std::string_view{"::1\0evil", 8}), std::nullopt);
  EXPECT_TRUE(IpAddress::parse("0000:0000:0000:0000:0000:ffff:255.255.255.255"));  // the longest form there is
}

TEST(IpAddress, ReadsNothingBehindTheText) {
  EXPECT_EQ(IpAddress::parse(std::string_view{"192.0.2.123", 9}), ip("192.0.2.1"));
}

TEST(IpAddress, AsAWildcardCoversItsFamily) {
  EXPECT_TRUE(ip("192.0.2.1").covers(ip("192.0.2.1")));
  EXPECT_FALSE(ip("192.0.2.1").covers(ip("192.0.2.2")));
  EXPECT_TRUE(ip("0.0.0.0").covers(ip("192.0.2.1")));
  EXPECT_FALSE(ip("0.0.0.0").covers(ip("2001:db8::1")));
  EXPECT_TRUE(ip("::").covers(ip("2001:db8::1")));
  EXPECT_TRUE(ip("::").covers(ip("192.0.2.1")));
}

TEST(IpAddress, KnowsLoopback) {
  for (const auto* text : {"127.0.0.1", "127.255.0.3", "::1"})
    EXPECT_TRUE(ip(text).is_loopback()) << text;
  for (const auto* text : {"128.0.0.1", "::", "::2", "0.0.0.0", "7f00::1"})
    EXPECT_FALSE(ip(text).is_loopback()) << text;
}

TEST(IpAddress, KnowsUnspecified) {
  EXPECT_TRUE(IpAddress{}.is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("::1").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
}

TEST(IpAddress, UnmapsOnlyMappedAddresses) {
  EXPECT_EQ(ip("::ffff:192.0.2.1").unmapped(), ip("192.0.2.1"));
  for (const auto* text :
       {"192.0.2.1", "::192.0.2.1", "::fffe:192.0.2.1", "::1:ffff:192.0.2.1", "64:ff9b::192.0.2.1"}) {
    EXPECT_EQ(ip(text).unmapped(), ip(text)) << text;
  }
}

TEST(IpAddress, FamiliesNeverCompareEqual) {
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_NE(ip("1.2.3.4"), ip("102:304::"));
}

TEST(Endpoint, WritesPortAndBrackets) {
  EXPECT_EQ((Endpoint{ip("192.0.2.1"), 3478}.to_string()), "192.0.2.1:3478");
  EXPECT_EQ((Endpoint{ip("2001:db8::1"), 0}.to_string()), "[2001:db8::1]:0");
}

TEST(EndpointHash, DependsOnEveryPart) {
  const EndpointHash hash{42};
  const Endpoint v4{ip("192.0.2.1"), 3478};
  const Endpoint v6{ip("2001:db8::1"), 3478};
  EXPECT_EQ(hash(v4), hash(Endpoint{v4}));
  EXPECT_NE(hash(v4), hash(Endpoint{v4.address, 3479}));
  EXPECT_NE(hash(v4), hash(Endpoint{ip("192.0.2.2"), 3478}));
  EXPECT_NE(hash(v4), EndpointHash{43}(v4));
  EXPECT_NE(hash(v6), hash(Endpoint{ip("2001:db8::2"), 3478}));
  EXPECT_NE(hash(v6), hash(Endpoint{ip("2001:db9::1"), 3478}));
  EXPECT_NE(hash(v6), EndpointHash{43}(v6));
  EXPECT_NE(hash(Endpoint{ip("0.0.0.0"), 0}), hash(Endpoint{ip("::"), 0}));
  EXPECT_NE(IpAddressHash{42}(ip("0.0.0.0")), IpAddressHash{42}(ip("::")));
}

// The fullest of 4096 buckets, when each of `count` keys is hashed by its low and by its high bits.
template <class MakeKey, class Hash>
std::size_t fullest_bucket(std::uint32_t count, const Hash& hash, MakeKey make_key) {
  std::vector<std::size_t> low(4096);
  std::vector<std::size_t> high(4096);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t value = hash(make_key(i));
    ++low[value % 4096];
    ++high[value >> 52];
  }
  return std::max(*std::max_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end()));
}

// 16 keys a bucket on the average; a random function stays below 45 with a probability far beyond one in a billion.
TEST(EndpointHash, SpreadsWhatAStrangerCanCount) {
  for (const std::uint64_t seed :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xDEADBEEFCAFEF00D}, ~std::uint64_t{0}}) {
    const EndpointHash hash{seed};
    EXPECT_LT(fullest_bucket(65536, hash,
                             [](std::uint32_t i) {
                               return Endpoint{ip("192.0.2.1"), static_cast<std::uint16_t>(i)};
                             }),
              45u);
    EXPECT_LT(fullest_bucket(65536, hash,
                             [](std::uint32_t i) {
                               return Endpoint{ip("2001:db8::1"), static_cast<std::uint16_t>(i)};
                             }),
              45u);
    EXPECT_LT(fullest_bucket(65536, IpAddressHash{seed},
                             [](std::uint32_t i) {
                               std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0D, 0xB8};
                               store_be32(octets.data() + 8, i << 16);  // as a /64 allows
                               return IpAddress{octets};
                             }),
              45u);
  }
}

// Keys that collide under one seed do not collide under another: nothing learnt offline helps.
TEST(EndpointHash, CollisionsDoNotOutliveTheSeed) {
  std::vector<Endpoint> colliding;
  for (std::uint32_t port = 0; port < 65536 && colliding.size() < 64; ++port) {
    const Endpoint endpoint{ip("192.0.2.1"), static_cast<std::uint16_t>(port)};
    if (EndpointHash{7}(endpoint) % 256 == 0) colliding.push_back(endpoint);
  }
  ASSERT_EQ(colliding.size(), 64u);
  std::set<std::size_t> buckets;
  for (const Endpoint& endpoint : colliding)
    buckets.insert(EndpointHash{8}(endpoint) % 256);
  EXPECT_GT(buckets.size(), 40u);
}

TEST(MixHash, NoValueErasesTheSeed) {
  constexpr std::uint64_t kConstant = 0xD6E8FEB86659FD93;  // the one that would, were it not for the seed beside it
  for (const std::uint64_t value : {std::uint64_t{0}, kConstant, ~kConstant, ~std::uint64_t{0}}) {
    EXPECT_NE(mix_hash(1, value), mix_hash(2, value));
  }
}

}  // namespace
}  // namespace causeway
