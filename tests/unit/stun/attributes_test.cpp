// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/attributes.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hex.hpp"
#include "messages.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;
using test::kId;

TEST(XorAddress, RoundTrips) {
  for (const auto* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "::ffff:192.0.2.1"}) {
    const Endpoint endpoint{IpAddress::parse(text).value(), 49152};
    std::array<std::uint8_t, kXorAddressBytesMax> value{};
    const std::size_t written = write_xor_address(value.data(), endpoint, kId);
    EXPECT_EQ(written, endpoint.address.is_v4() ? 8u : 20u);
    EXPECT_EQ(read_xor_address(Bytes{value.data(), written}, kId), endpoint);
  }
}

TEST(XorAddress, MasksWithCookieAndTransactionId) {
  const auto value = from_hex("00 02 21 12  21 12 a4 42  01 02 03 04  05 06 07 08  09 0a 0b 0c");
  EXPECT_EQ(read_xor_address(value, kId), (Endpoint{IpAddress::parse("::").value(), 0}));
}

TEST(XorAddress, RefusesOtherLengthsAndFamilies) {
  for (std::size_t size = 0; size < 32; ++size) {
    for (std::uint8_t family = 0; family < 4; ++family) {
      std::vector<std::uint8_t> value(size, family);
      const bool is_address = (family == 1 && size == 8) || (family == 2 && size == 20);
      EXPECT_EQ(read_xor_address(value, kId).has_value(), is_address) << size;
      EXPECT_EQ(read_address(value).has_value(), is_address) << size;
    }
  }
}

TEST(Address, IsReadAsItStands) {
  EXPECT_EQ(read_address(from_hex("ff 01 0d 96 c0 00 02 01")).value().to_string(), "192.0.2.1:3478");
  EXPECT_EQ(read_address(from_hex("00 02 0d 96 20010db8 00000000 00000000 00000001")).value().to_string(),
            "[2001:db8::1]:3478");
}

TEST(Address, RoundTrips) {
  for (const auto* text : {"192.0.2.1", "2001:db8::1"}) {
    const Endpoint endpoint{IpAddress::parse(text).value(), 3478};
    std::array<std::uint8_t, kXorAddressBytesMax> value{};
    const std::size_t written = write_address(value.data(), endpoint);
    EXPECT_EQ(read_address(Bytes{value.data(), written}), endpoint);
  }
}

TEST(ChangeRequest, HasTwoFlags) {
  const auto flags = [](std::string_view hex) {
    const auto change = read_change_request(from_hex(hex)).value();
    return std::pair{change.address, change.port};
  };
  EXPECT_EQ(flags("00 00 00 00"), (std::pair{false, false}));
  EXPECT_EQ(flags("00 00 00 02"), (std::pair{false, true}));
  EXPECT_EQ(flags("00 00 00 04"), (std::pair{true, false}));
  EXPECT_EQ(flags("ff ff ff ff"), (std::pair{true, true}));  // other bits are ignored
  for (const auto* text : {"", "00 00 02", "00 00 00 02 00"})
    EXPECT_FALSE(read_change_request(from_hex(text))) << text;
}

TEST(ResponsePort, IsReadWithAndWithoutPadding) {
  EXPECT_EQ(read_response_port(from_hex("0d 96")), 3478);
  EXPECT_EQ(read_response_port(from_hex("0d 96 00 00")), 3478);
  for (const auto* text : {"", "0d", "0d 96 00", "0d 96 00 00 00"})
    EXPECT_FALSE(read_response_port(from_hex(text))) << text;
}

TEST(ErrorCode, ReadsClassAndNumber) {
  EXPECT_EQ(read_error_code(from_hex("00 00 04 01")), 401);
  EXPECT_EQ(read_error_code(from_hex("ff ff fc 14 55 6e")), 420);  // reserved bits are ignored
  EXPECT_EQ(read_error_code(from_hex("00 00 03 00")), 300);
  EXPECT_EQ(read_error_code(from_hex("00 00 06 63")), 699);
  for (const auto* text : {"", "00 00 04", "00 00 02 00", "00 00 07 00", "00 00 04 64", "00 00 00 00"}) {
    EXPECT_EQ(read_error_code(from_hex(text)), std::nullopt) << text;
  }
}

TEST(FourOctets, AreNeitherMoreNorLess) {
  const auto value = from_hex("11 22 33 44");
  EXPECT_EQ(read_u32(value), 0x11223344u);
  EXPECT_EQ(read_channel_number(value), 0x1122);
  EXPECT_EQ(read_requested_transport(value), 0x11);
  EXPECT_EQ(read_requested_address_family(value), 0x11);
  for (const auto* text : {"", "11", "11 22 33", "11 22 33 44 55", "11 22 33 44 55 66 77 88"}) {
    EXPECT_EQ(read_u32(from_hex(text)), std::nullopt) << text;
    EXPECT_EQ(read_channel_number(from_hex(text)), std::nullopt) << text;
    EXPECT_EQ(read_requested_transport(from_hex(text)), std::nullopt) << text;
    EXPECT_EQ(read_requested_address_family(from_hex(text)), std::nullopt) << text;
  }
}

TEST(EvenPort, IsTheFirstBitOfOneOctet) {
  EXPECT_EQ(read_even_port(from_hex("80")), true);
  EXPECT_EQ(read_even_port(from_hex("7f")), false);
  EXPECT_EQ(read_even_port(from_hex("")), std::nullopt);
  EXPECT_EQ(read_even_port(from_hex("80 00")), std::nullopt);
}

TEST(PasswordAlgorithm, HasNoParameters) {
  EXPECT_EQ(read_password_algorithm(from_hex("00 02 00 00")), 2);
  for (const auto* text : {"", "00 02", "00 02 00 01", "00 02 00 04 00 00 00 00"}) {
    EXPECT_EQ(read_password_algorithm(from_hex(text)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace causeway::stun
