// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/sealing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hex.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;

SealKey key_of(std::uint8_t octet) {
  SealKey key{};
  key.fill(octet);
  return key;
}

TEST(Sealing, ReturnsWhatWasSealed) {
  for (const std::size_t bytes : {1u, 8u, 100u}) {
    std::vector<std::uint8_t> plain(bytes, 0x5A);
    const auto sealed = seal(key_of(1), plain);
    EXPECT_EQ(sealed.size(), bytes + kSealBytes);
    EXPECT_EQ(unseal(key_of(1), sealed), plain);
  }
}

TEST(Sealing, ShowsNothingOfTheValueAndIsTheSameForTheSame) {
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint8_t last = 0; last < 100; ++last) {
    const std::vector<std::uint8_t> plain{0, 0, 0, 0, 0, 0, 0, last};
    const auto sealed = seal(key_of(1), plain);
    EXPECT_EQ(sealed, seal(key_of(1), plain));
    EXPECT_TRUE(seen.insert(sealed).second);
    EXPECT_EQ(std::search(sealed.begin(), sealed.end(), plain.begin(), plain.end()), sealed.end());
  }
}

TEST(Sealing, RefusesWhatWasChangedOrIsOfAnotherKey) {
  const auto sealed = seal(key_of(1), from_hex("0011223344556677"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 0x01;
    EXPECT_EQ(unseal(key_of(1), changed), std::nullopt) << i;
  }
  EXPECT_EQ(unseal(key_of(2), sealed), std::nullopt);
  for (std::size_t bytes = 0; bytes < sealed.size(); ++bytes)
    EXPECT_EQ(unseal(key_of(1), Bytes{sealed}.first(bytes)), std::nullopt) << bytes;
}

}  // namespace
}  // namespace causeway::stun
