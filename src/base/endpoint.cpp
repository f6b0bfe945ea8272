// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace causeway {
namespace {

__extension__ typedef unsigned __int128 Product;

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::uint64_t multiply_and_fold(std::uint64_t a, std::uint64_t b) noexcept {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

std::uint64_t load_be64(const std::uint8_t* from) noexcept {
  return (std::uint64_t{load_be32(from)} << 32) | load_be32(from + 4);
}

// `port` and the family share the last word, so that 0.0.0.0 and :: differ.
std::uint64_t hash_address_and_port(std::uint64_t seed, const IpAddress& address, std::uint16_t port) noexcept {
  const std::uint8_t* octets = address.octets().data();
  const std::uint64_t tail = (std::uint64_t{port} << 8) | static_cast<std::uint64_t>(address.family());
  if (address.is_v4()) return mix_hash(seed, (std::uint64_t{load_be32(octets)} << 32) | tail);
  return mix_hash(mix_hash(mix_hash(seed, load_be64(octets)), load_be64(octets + 8)), tail);
}

IpAddress first_octets(const IpAddress& address, std::size_t count) noexcept {
  std::array<std::uint8_t, 16> network{};
  std::copy_n(address.octets().begin(), count, network.begin());
  return IpAddress{network};
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, terminated.data(), v4.data()) == 1) return IpAddress{v4};
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, terminated.data(), v6.data()) == 1) return IpAddress{v6};
  return std::nullopt;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return octets_[0] == 127;  // RFC 1122 §3.2.1.3 (g)
  constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return octets_ == kLoopback;  // RFC 4291 §2.5.3
}

bool IpAddress::covers(const IpAddress& other) const noexcept {
  return *this == other || (is_unspecified() && (!is_v4() || other.is_v4()));
}

IpAddress IpAddress::unmapped() const noexcept {
  // RFC 4291 §2.5.5.2
  if (is_v4() || !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets_.begin())) return *this;
  return IpAddress{std::array<std::uint8_t, 4>{octets_[12], octets_[13], octets_[14], octets_[15]}};
}

IpAddress subscriber_network(const IpAddress& address) noexcept {
  return address.is_v4() ? address : first_octets(address, 8);
}

IpAddress site_network(const IpAddress& address) noexcept {
  return address.is_v4() ? address : first_octets(address, 6);
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets_.data(), text.data(), text.size());
  return text.data();
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::uint64_t mix_hash(std::uint64_t seed, std::uint64_t value) noexcept {
  // Both factors depend on the seed and the second is odd: no value that a stranger can choose makes the product zero.
  // Twice, because a single product leaves counted values (ports) visible in its low bits.
  const std::uint64_t factor = (std::rotl(seed, 32) ^ 0x9E3779B97F4A7C15) | 1;
  return multiply_and_fold(multiply_and_fold(value ^ seed ^ 0xD6E8FEB86659FD93, factor) ^ seed, 0xA0761D6478BD642F);
}

std::size_t IpAddressHash::operator()(const IpAddress& address) const noexcept {
  return hash_address_and_port(seed, address, 0);
}

std::size_t EndpointHash::operator()(const Endpoint& endpoint) const noexcept {
  return hash_address_and_port(seed, endpoint.address, endpoint.port);
}

}  // namespace causeway
