// SPDX-License-Identifier: Apache-2.0
// ChannelData messages (RFC 8656 §12.4): 16 bits of channel number, 16 bits of length, then the data.
// Over UDP padding is optional; over a stream each message is padded to a multiple of four octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "causeway/base/bytes.hpp"

namespace causeway::stun {

inline constexpr std::size_t kChannelDataHeaderBytes = 4;
inline constexpr std::uint16_t kChannelNumberMin = 0x4000;
// Deviation: RFC 8656 §12 ends at 0x4FFF. RFC 5766 clients, coturn's among them, choose from 0x4000–0x7FFF.
inline constexpr std::uint16_t kChannelNumberMax = 0x7FFF;

constexpr bool is_channel_number(std::uint16_t number) noexcept {
  return number >= kChannelNumberMin && number <= kChannelNumberMax;
}

// What the first octet of a datagram or frame tells (RFC 7983 §7, widened to RFC 5766's channel numbers).
enum class FirstOctet : std::uint8_t { kStun, kDtlsOrTls, kChannelData, kOther };
constexpr FirstOctet classify_first_octet(std::uint8_t octet) noexcept {
  if (octet <= 3) return FirstOctet::kStun;
  if (octet >= 20 && octet <= 63) return FirstOctet::kDtlsOrTls;
  if (octet >= 64 && octet <= 127) return FirstOctet::kChannelData;
  return FirstOctet::kOther;
}

struct ChannelData {
  std::uint16_t number = 0;
  MutableBytes payload;  // within the bytes that were parsed; the header stays in front of it
};

// nullopt when the header is incomplete, the number is none of a channel, or the length exceeds what is there.
// Octets behind the length (padding) are ignored.
std::optional<ChannelData> parse_channel_data(MutableBytes bytes) noexcept;

// Writes the header into the four octets in front of the payload and returns header and payload.
MutableBytes write_channel_data_in_front(MutableBytes payload, std::uint16_t number) noexcept;

}  // namespace causeway::stun
