// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "causeway/base/random.hpp"

namespace causeway {
namespace {

TEST(Bytes, LoadsAndStoresNetworkOrder) {
  std::array<std::uint8_t, 6> octets{};
  store_be32(octets.data(), 0x2112A442);
  store_be16(octets.data() + 4, 0xFFFE);
  EXPECT_EQ(octets, (std::array<std::uint8_t, 6>{0x21, 0x12, 0xA4, 0x42, 0xFF, 0xFE}));
  EXPECT_EQ(load_be32(octets.data()), 0x2112A442u);
  EXPECT_EQ(load_be32(octets.data() + 2), 0xA442FFFEu);
  EXPECT_EQ(load_be16(octets.data() + 4), 0xFFFEu);
}

TEST(Bytes, ComparesSecretsByContentAndLength) {
  EXPECT_TRUE(equal_constant_time(as_bytes("secret"), as_bytes("secret")));
  EXPECT_TRUE(equal_constant_time(as_bytes(""), as_bytes("")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("secreT")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("Secret")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("secre")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("")));
}

TEST(Bytes, TextAndOctetsAreTheSame) {
  EXPECT_EQ(as_text(as_bytes("f\xC3\xBC")), "f\xC3\xBC");
}

class CountingRandom : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& octet : out)
      octet = ++count_;
  }

 private:
  std::uint8_t count_ = 0;
};

TEST(RandomSource, DerivesNumbersFromOctets) {
  CountingRandom random;
  EXPECT_EQ(random.next(), 0x0102030405060708u);
  EXPECT_EQ(random.below(1000), 0x090A0B0C0D0E0F10u % 1000);
  EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace causeway
