// SPDX-License-Identifier: Apache-2.0
// Limits of answers over UDP to clients that have not authenticated, so that a forged source address gains little.
// Sizes are those of IP packets, because that is what a forged question costs its sender:
//
//   a challenge (401, 438)          2.5 times the question, and what the realm has above 16 octets
//   Binding                         1.5 times the question
//   Binding with NAT discovery      less than 2 times the question
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "causeway/base/endpoint.hpp"

namespace causeway::turn {

inline constexpr std::size_t kRealmOctetsWithinFactor = 16;

// As attributes carry values: RFC 8489 §14.
constexpr std::size_t padded(std::size_t octets) noexcept {
  return (octets + 3) / 4 * 4;
}
constexpr std::size_t attribute_bytes(std::size_t value_octets) noexcept {
  return 4 + padded(value_octets);
}
// A message with its IP header, without options, and its UDP header.
constexpr std::size_t packet_bytes(AddressFamily family, std::size_t message_bytes) noexcept {
  return message_bytes + (family == AddressFamily::kIPv4 ? 28 : 48);
}
constexpr std::size_t challenge_bytes_max(std::size_t question_packet_bytes, std::string_view realm) noexcept {
  const std::size_t realm_octets = padded(realm.size());
  return question_packet_bytes * 5 / 2 + (std::max(realm_octets, kRealmOctetsWithinFactor) - kRealmOctetsWithinFactor);
}
// The answer has to be smaller.
constexpr std::size_t discovery_bytes_end(std::size_t question_packet_bytes) noexcept {
  return 2 * question_packet_bytes;
}

}  // namespace causeway::turn
