// SPDX-License-Identifier: Apache-2.0
// An address prefix in CIDR notation (RFC 4632, RFC 4291 §2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/endpoint.hpp"

namespace causeway {

class Prefix {
 public:
  // Bits behind `length` are cleared. length is at most 32 (IPv4) or 128 (IPv6).
  Prefix(const IpAddress& address, std::uint8_t length) noexcept;

  // "10.0.0.0/8", "fd00::/8"; an address alone is a prefix of its full length. nullopt for anything else,
  // also where bits behind the length are set: "10.0.0.1/8" is more likely a slip than a wish.
  static std::optional<Prefix> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept;
  const IpAddress& address() const noexcept { return address_; }
  std::uint8_t length() const noexcept { return length_; }
  bool is_host() const noexcept { return length_ == (address_.is_v4() ? 32 : 128); }  // one address
  std::string to_string() const;

  friend bool operator==(const Prefix&, const Prefix&) noexcept = default;

 private:
  IpAddress address_;
  std::uint8_t length_;
};

}  // namespace causeway
