// SPDX-License-Identifier: Apache-2.0
// Application data that says for whom it is and whether it is whole: a magic number, its addressee, a serial number,
// and octets that follow from the serial number.
#pragma once

#include <cstdint>
#include <optional>

#include "network.hpp"

namespace causeway::simulation {

struct Payload {
  std::uint32_t addressee = 0;  // the number of a party; 0: whoever gets it
  std::uint32_t serial = 0;
};

inline constexpr std::size_t kPayloadBytesMin = 12;
inline constexpr std::uint32_t kPayloadMagic = 0x9C0FFEE5;

inline std::uint8_t payload_octet(std::uint32_t serial, std::size_t position) {
  return static_cast<std::uint8_t>((serial + position) * 167 >> 3);
}

inline Octets write_payload(const Payload& payload, std::size_t size) {
  Octets octets(std::max(size, kPayloadBytesMin));
  store_be32(octets.data(), kPayloadMagic);
  store_be32(octets.data() + 4, payload.addressee);
  store_be32(octets.data() + 8, payload.serial);
  for (std::size_t i = kPayloadBytesMin; i < octets.size(); ++i)
    octets[i] = payload_octet(payload.serial, i);
  return octets;
}

// nullopt when it is not what write_payload() wrote.
inline std::optional<Payload> read_payload(Bytes octets) {
  if (octets.size() < kPayloadBytesMin || load_be32(octets.data()) != kPayloadMagic) return std::nullopt;
  const Payload payload{load_be32(octets.data() + 4), load_be32(octets.data() + 8)};
  for (std::size_t i = kPayloadBytesMin; i < octets.size(); ++i)
    if (octets[i] != payload_octet(payload.serial, i)) return std::nullopt;
  return payload;
}

}  // namespace causeway::simulation
