// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/channel_data.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hex.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;

TEST(ChannelData, ParsesAndIgnoresPadding) {
  auto bytes = from_hex("40 01 00 05  68 65 6c 6c  6f 00 00 00");
  const auto message = parse_channel_data(bytes).value();
  EXPECT_EQ(message.number, 0x4001);
  EXPECT_EQ(as_text(message.payload), "hello");
  EXPECT_EQ(message.payload.data(), bytes.data() + kChannelDataHeaderBytes);
}

TEST(ChannelData, MayBeEmpty) {
  auto bytes = from_hex("7f ff 00 00");
  EXPECT_EQ(parse_channel_data(bytes).value().number, kChannelNumberMax);
  EXPECT_TRUE(parse_channel_data(bytes)->payload.empty());
}

TEST(ChannelData, RefusesWhatItCannotBe) {
  for (const auto* text : {"", "40", "40 00", "40 00 00", "40 00 00 01", "40 00 00 05 01 02 03 04", "40 00 ff ff 00",
                           "3f ff 00 00", "80 00 00 00", "00 01 00 00", "ff ff 00 00"}) {
    auto bytes = from_hex(text);
    EXPECT_FALSE(parse_channel_data(bytes)) << text;
  }
}

TEST(ChannelData, WritesItsHeaderInFrontOfThePayload) {
  std::vector<std::uint8_t> buffer(kChannelDataHeaderBytes + 300, 0xAA);
  const MutableBytes message =
      write_channel_data_in_front(MutableBytes{buffer}.subspan(kChannelDataHeaderBytes), 0x4FFF);
  EXPECT_EQ(message.data(), buffer.data());
  EXPECT_EQ(message.size(), buffer.size());
  const auto parsed = parse_channel_data(message).value();
  EXPECT_EQ(parsed.number, 0x4FFF);
  EXPECT_EQ(parsed.payload.size(), 300u);
  EXPECT_EQ(parsed.payload[0], 0xAA);
}

// RFC 7983 §7, widened to the channel numbers of RFC 5766
TEST(FirstOctet, TellsTheProtocol) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    const FirstOctet expected = octet <= 3                    ? FirstOctet::kStun
                                : octet >= 20 && octet <= 63  ? FirstOctet::kDtlsOrTls
                                : octet >= 64 && octet <= 127 ? FirstOctet::kChannelData
                                                              : FirstOctet::kOther;
    EXPECT_EQ(classify_first_octet(static_cast<std::uint8_t>(octet)), expected) << octet;
  }
}

}  // namespace
}  // namespace causeway::stun
