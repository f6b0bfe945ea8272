// SPDX-License-Identifier: Apache-2.0
// Readers of attribute values. Each returns nullopt for a value of the wrong length or outside of its range;
// none looks beyond the value it is given. The writing side is MessageBuilder.
#pragma once

#include <cstdint>
#include <optional>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/stun/types.hpp"

namespace causeway::stun {

// RFC 8489 §14.2 XOR-MAPPED-ADDRESS; also XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS (RFC 8656 §18.3, §18.5).
std::optional<Endpoint> read_xor_address(Bytes value, const TransactionId& id) noexcept;
inline constexpr std::size_t kXorAddressBytesMax = 20;
// Returns the number of octets written: 8 or 20.
std::size_t write_xor_address(std::uint8_t* to, const Endpoint& endpoint, const TransactionId& id) noexcept;

// RFC 8489 §14.1 MAPPED-ADDRESS, whose form ALTERNATE-SERVER, RESPONSE-ORIGIN and OTHER-ADDRESS have too.
std::optional<Endpoint> read_address(Bytes value) noexcept;
std::size_t write_address(std::uint8_t* to, const Endpoint& endpoint) noexcept;  // 8 or 20 octets

// RFC 8489 §14.8: class and number as one code, 300–699.
std::optional<std::uint16_t> read_error_code(Bytes value) noexcept;

// RFC 8656 §18.2 LIFETIME, seconds; any other 32-bit value as well.
std::optional<std::uint32_t> read_u32(Bytes value) noexcept;

// RFC 8656 §18.1: 16 bits of number, 16 reserved bits.
std::optional<std::uint16_t> read_channel_number(Bytes value) noexcept;

// RFC 8656 §18.8: the protocol number, 17 for UDP, 6 for TCP.
std::optional<std::uint8_t> read_requested_transport(Bytes value) noexcept;

// RFC 8656 §18.6 REQUESTED-ADDRESS-FAMILY. The raw number, because an unknown family is 440 and not 400.
std::optional<std::uint8_t> read_requested_address_family(Bytes value) noexcept;

// RFC 8656 §18.7 EVEN-PORT: the R bit, "reserve the next-higher port".
std::optional<bool> read_even_port(Bytes value) noexcept;

// RFC 5780 §7.2 CHANGE-REQUEST: what the answer shall come from.
struct ChangeRequest {
  bool address = false;
  bool port = false;
};
std::optional<ChangeRequest> read_change_request(Bytes value) noexcept;

// RFC 5780 §7.5 RESPONSE-PORT: two octets; clients that count the padding send four.
std::optional<std::uint16_t> read_response_port(Bytes value) noexcept;

// RFC 8489 §14.12 PASSWORD-ALGORITHM: the number, of an algorithm without parameters.
std::optional<std::uint16_t> read_password_algorithm(Bytes value) noexcept;

}  // namespace causeway::stun
