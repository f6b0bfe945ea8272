// SPDX-License-Identifier: Apache-2.0
// IP addresses and transport addresses (address and port) as plain values.
// An IPv4-mapped IPv6 address stays IPv6 here; the edge turns one into IPv4 with unmapped() when a dual-stack
// socket reports an IPv4 client, and the peer policy judges what is embedded.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/bytes.hpp"

namespace causeway {

// The values are those of the STUN address family field (RFC 8489 §14.1).
enum class AddressFamily : std::uint8_t { kIPv4 = 0x01, kIPv6 = 0x02 };

class IpAddress {
 public:
  constexpr IpAddress() noexcept = default;  // 0.0.0.0
  constexpr explicit IpAddress(const std::array<std::uint8_t, 4>& v4) noexcept
      : octets_{v4[0], v4[1], v4[2], v4[3]}, family_(AddressFamily::kIPv4) {}
  constexpr explicit IpAddress(const std::array<std::uint8_t, 16>& v6) noexcept
      : octets_(v6), family_(AddressFamily::kIPv6) {}

  // "192.0.2.1", "2001:db8::1"; no brackets, no zone, no port.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr AddressFamily family() const noexcept { return family_; }
  constexpr bool is_v4() const noexcept { return family_ == AddressFamily::kIPv4; }
  constexpr Bytes octets() const noexcept { return {octets_.data(), is_v4() ? std::size_t{4} : std::size_t{16}}; }
  constexpr bool is_unspecified() const noexcept { return octets_ == std::array<std::uint8_t, 16>{}; }
  bool is_loopback() const noexcept;
  // Whether a socket bound to this address gets what is sent to `other`: "::" takes both families, "0.0.0.0" IPv4.
  bool covers(const IpAddress& other) const noexcept;
  // ::ffff:a.b.c.d as a.b.c.d; any other address as it is.
  IpAddress unmapped() const noexcept;
  std::string to_string() const;

  // Spelled out, because each relayed packet asks it several times and the default calls memcmp.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) noexcept {
    using Halves = std::array<std::uint64_t, 2>;
    const auto left = std::bit_cast<Halves>(a.octets_);
    const auto right = std::bit_cast<Halves>(b.octets_);
    return left[0] == right[0] && left[1] == right[1] && a.family_ == b.family_;
  }
  // clang-tidy takes the zero that the compiler compares with for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;

 private:
  std::array<std::uint8_t, 16> octets_{};  // an IPv4 address uses the first four, the rest is zero
  AddressFamily family_ = AddressFamily::kIPv4;
};

// Whom an address stands for where many of one subscriber count as one: an IPv4 address is its own network, whoever has
// an IPv6 address has all of its /64.
IpAddress subscriber_network(const IpAddress& address) noexcept;
// The widest network that one subscriber may have: an IPv4 address or an IPv6 /48 (RFC 6177).
IpAddress site_network(const IpAddress& address) noexcept;

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  std::string to_string() const;  // "192.0.2.1:3478", "[2001:db8::1]:3478"

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) noexcept = default;
};

// Seeded hash functions for tables whose keys a stranger chooses: without the seed no one can aim at one bucket.
struct IpAddressHash {
  using is_avalanching = void;
  std::uint64_t seed = 0;
  std::size_t operator()(const IpAddress& address) const noexcept;
};

struct EndpointHash {
  using is_avalanching = void;
  std::uint64_t seed = 0;
  std::size_t operator()(const Endpoint& endpoint) const noexcept;
};

// Mixes `value` into `seed`; the building block of the hashes here and of FiveTupleHash.
std::uint64_t mix_hash(std::uint64_t seed, std::uint64_t value) noexcept;

}  // namespace causeway
