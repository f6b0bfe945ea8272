// SPDX-License-Identifier: Apache-2.0
// Views of octets, and big-endian (network order) loads and stores. Nothing here owns memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace causeway {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The caller has checked that enough octets are there.
constexpr std::uint16_t load_be16(const std::uint8_t* from) noexcept {
  return static_cast<std::uint16_t>((from[0] << 8) | from[1]);
}

constexpr std::uint32_t load_be32(const std::uint8_t* from) noexcept {
  return (std::uint32_t{load_be16(from)} << 16) | load_be16(from + 2);
}

constexpr void store_be16(std::uint8_t* to, std::uint16_t value) noexcept {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

constexpr void store_be32(std::uint8_t* to, std::uint32_t value) noexcept {
  store_be16(to, static_cast<std::uint16_t>(value >> 16));
  store_be16(to + 2, static_cast<std::uint16_t>(value));
}

// Compares secrets: the time depends on the length only.
inline bool equal_constant_time(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace causeway
