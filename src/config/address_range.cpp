// SPDX-License-Identifier: Apache-2.0
#include "config/address_range.hpp"

#include <array>
#include <cstdint>

namespace causeway::config {
namespace {

__extension__ typedef unsigned __int128 Number;

Number number_of(const IpAddress& address) {
  Number number = 0;
  for (const std::uint8_t octet : address.octets())
    number = (number << 8) | octet;
  return number;
}

template <std::size_t N>
IpAddress address_with(Number number) {
  std::array<std::uint8_t, N> octets{};
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet, number >>= 8)
    *octet = static_cast<std::uint8_t>(number & 0xFF);
  return IpAddress{octets};
}

IpAddress address_of(Number number, AddressFamily family) {
  return family == AddressFamily::kIPv4 ? address_with<4>(number) : address_with<16>(number);
}

int bits_of(AddressFamily family) {
  return family == AddressFamily::kIPv4 ? 32 : 128;
}

// The greatest offset in a prefix of this many free bits.
Number offset_max(int free_bits) {
  return free_bits == 128 ? ~Number{0} : (Number{1} << free_bits) - 1;
}

AddressRange range_of(const Prefix& prefix) {
  const AddressFamily family = prefix.address().family();
  const Number first = number_of(prefix.address());
  return {prefix.address(), address_of(first + offset_max(bits_of(family) - prefix.length()), family)};
}

}  // namespace

std::optional<AddressRange> parse_address_range(std::string_view text) {
  if (const auto prefix = Prefix::parse(text)) return range_of(*prefix);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->family() != last->family() || number_of(*last) < number_of(*first)) return std::nullopt;
  return AddressRange{*first, *last};
}

std::vector<Prefix> prefixes_of(const AddressRange& range) {
  const AddressFamily family = range.first.family();
  const int bits = bits_of(family);
  const Number last = number_of(range.last);
  std::vector<Prefix> prefixes;
  for (Number first = number_of(range.first);;) {
    int free_bits = 0;
    while (free_bits < bits && (first & offset_max(free_bits + 1)) == 0 && last - first >= offset_max(free_bits + 1))
      ++free_bits;
    prefixes.emplace_back(address_of(first, family), static_cast<std::uint8_t>(bits - free_bits));
    if (last - first == offset_max(free_bits)) return prefixes;  // before first could overflow
    first += offset_max(free_bits) + 1;
  }
}

}  // namespace causeway::config
