// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/prefix.hpp"

#include <algorithm>
#include <charconv>

namespace causeway {
namespace {

constexpr std::uint8_t length_max(const IpAddress& address) noexcept {
  return address.is_v4() ? std::uint8_t{32} : std::uint8_t{128};
}

IpAddress clear_bits_behind(const IpAddress& address, std::uint8_t length) noexcept {
  std::array<std::uint8_t, 16> octets{};
  const Bytes from = address.octets();
  const std::size_t whole = length / 8u;
  std::copy_n(from.begin(), whole, octets.begin());
  if (length % 8 != 0) octets[whole] = static_cast<std::uint8_t>(from[whole] & (0xFF00 >> (length % 8)));
  if (!address.is_v4()) return IpAddress{octets};
  return IpAddress{std::array<std::uint8_t, 4>{octets[0], octets[1], octets[2], octets[3]}};
}

}  // namespace

Prefix::Prefix(const IpAddress& address, std::uint8_t length) noexcept
    : address_(clear_bits_behind(address, std::min(length, length_max(address)))),
      length_(std::min(length, length_max(address))) {}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Prefix{*address, length_max(*address)};
  const std::string_view digits = text.substr(slash + 1);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::uint8_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (length > length_max(*address)) return std::nullopt;
  const Prefix prefix{*address, length};
  if (prefix.address() != *address) return std::nullopt;
  return prefix;
}

bool Prefix::contains(const IpAddress& address) const noexcept {
  return address.family() == address_.family() && clear_bits_behind(address, length_) == address_;
}

std::string Prefix::to_string() const {
  return address_.to_string() + "/" + std::to_string(length_);
}

}  // namespace causeway
