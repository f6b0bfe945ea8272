// SPDX-License-Identifier: Apache-2.0
#include "net/dtls_cookie.hpp"

#include <gmock/gmock.h>

#include "net/system_random.hpp"

using namespace causeway;
using net::DtlsCookies;

namespace {

constexpr TimePoint kNow{std::chrono::hours{7}};

turn::FiveTuple client(std::string_view address, std::uint16_t port, std::string_view server = "192.0.2.10") {
  return {{*IpAddress::parse(address), port}, {*IpAddress::parse(server), 5349}, turn::Transport::kDtls};
}

}  // namespace

TEST(DtlsCookies, AreOfOneAddressAndPort) {
  net::SystemRandom random;
  const DtlsCookies cookies{random};
  const auto alice = client("198.51.100.7", 40000);
  const auto cookie = cookies.make(alice, kNow);
  EXPECT_TRUE(cookies.is_valid(cookie, alice, kNow));
  EXPECT_FALSE(cookies.is_valid(cookie, client("198.51.100.7", 40001), kNow));
  EXPECT_FALSE(cookies.is_valid(cookie, client("198.51.100.8", 40000), kNow));
  EXPECT_FALSE(cookies.is_valid(cookie, client("198.51.100.7", 40000, "192.0.2.11"), kNow));
  EXPECT_FALSE(cookies.is_valid(Bytes{cookie}.first(31), alice, kNow));
  EXPECT_FALSE(cookies.is_valid({}, alice, kNow));
}

TEST(DtlsCookies, AreOfOneProcess) {
  net::SystemRandom random;
  const auto alice = client("2001:db8::7", 40000);
  EXPECT_FALSE(DtlsCookies{random}.is_valid(DtlsCookies{random}.make(alice, kNow), alice, kNow));
}

TEST(DtlsCookies, ExpireAfterTheNextPeriod) {
  net::SystemRandom random;
  const DtlsCookies cookies{random};
  const auto alice = client("198.51.100.7", 40000);
  const auto cookie = cookies.make(alice, kNow);
  EXPECT_TRUE(cookies.is_valid(cookie, alice, kNow + 2 * DtlsCookies::kPeriod - std::chrono::seconds{1}));
  EXPECT_FALSE(cookies.is_valid(cookie, alice, kNow + 2 * DtlsCookies::kPeriod));
}
