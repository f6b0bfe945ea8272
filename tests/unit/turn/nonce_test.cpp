// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/nonce.hpp"

#include <gtest/gtest.h>

#include "fake_time.hpp"
#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

FiveTuple client(std::string_view address, std::uint16_t port = 40000, Transport transport = Transport::kUdp) {
  return {at(address, port), at("192.0.2.10", 3478), transport};
}

NonceKey key_of(std::uint8_t octet) {
  NonceKey key{};
  key.fill(octet);
  return key;
}

TEST(Nonce, IsValidForItsLifetimeAndNoLonger) {
  const NonceSource source{key_of(1), 600s};
  const std::string nonce = source.make("realm", client("192.0.2.1"), kNow);
  EXPECT_TRUE(source.is_valid(nonce, "realm", client("192.0.2.1"), kNow));
  EXPECT_TRUE(source.is_valid(nonce, "realm", client("192.0.2.1"), kNow + 599s));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.1"), kNow + 600s));
}

TEST(Nonce, BelongsToItsKeyRealmTransportAddressAndPort) {
  const NonceSource source{key_of(1), 600s};
  const std::string nonce = source.make("realm", client("192.0.2.1"), kNow);
  EXPECT_FALSE(NonceSource(key_of(2), 600s).is_valid(nonce, "realm", client("192.0.2.1"), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm2", client("192.0.2.1"), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.2"), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("::ffff:192.0.2.1"), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.1", 40001), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.1", 40000, Transport::kDtls), kNow));
  EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.1", 40000, Transport::kTcp), kNow));
  EXPECT_TRUE(NonceSource(key_of(1), 60s).is_valid(nonce, "realm", client("192.0.2.1"), kNow))
      << "workers share the key";
}

// RFC 6062 §4.4: ConnectionBind comes from another port than the request that was challenged.
TEST(Nonce, OfAStreamIsGoodOnEachConnectionFromItsAddress) {
  const NonceSource source{key_of(1), 600s};
  for (const Transport transport : {Transport::kTcp, Transport::kTls}) {
    const std::string nonce = source.make("realm", client("192.0.2.1", 40000, transport), kNow);
    EXPECT_TRUE(source.is_valid(nonce, "realm", client("192.0.2.1", 40001, transport), kNow));
    EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.2", 40000, transport), kNow));
    EXPECT_FALSE(source.is_valid(nonce, "realm", client("192.0.2.1", 40000), kNow));
  }
}

TEST(Nonce, IsShortTextWithoutQuotes) {
  const NonceSource source{key_of(1), 600s};
  for (int i = 0; i < 50; ++i) {
    const std::string nonce = source.make("realm", client("2001:db8::1"), kNow + std::chrono::seconds{i});
    EXPECT_EQ(nonce.size(), NonceSource::kNonceBytes);
    EXPECT_EQ(nonce.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
  }
}

TEST(Nonce, AnyChangedOctetInvalidatesIt) {
  const NonceSource source{key_of(1), 600s};
  const std::string nonce = source.make("realm", client("192.0.2.1"), kNow);
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    for (const char other : {'A', 'B', '_', '=', '\0', '\xFF'}) {
      std::string changed = nonce;
      if (changed[i] == other) continue;
      changed[i] = other;
      EXPECT_FALSE(source.is_valid(changed, "realm", client("192.0.2.1"), kNow)) << i;
    }
  }
}

TEST(Nonce, NothingElseIsValid) {
  const NonceSource source{key_of(1), 600s};
  const std::string nonce = source.make("realm", client("192.0.2.1"), kNow);
  for (const std::string& text : {std::string{}, nonce + nonce, nonce + "=", nonce.substr(0, 21), std::string(22, 'A'),
                                  std::string(65535, 'A')}) {
    EXPECT_FALSE(source.is_valid(text, "realm", client("192.0.2.1"), kNow));
  }
}

}  // namespace
}  // namespace causeway::turn
