// SPDX-License-Identifier: Apache-2.0
#include "net/endpoint_conversion.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace causeway::net {
namespace {

socklen_t write_v6(const std::array<std::uint8_t, 16>& octets, std::uint16_t port, sockaddr_storage& out) noexcept {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, octets.data(), octets.size());
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

}  // namespace

boost::asio::ip::address to_asio(const IpAddress& address) {
  const Bytes octets = address.octets();
  if (address.is_v4()) {
    boost::asio::ip::address_v4::bytes_type v4{};
    std::copy(octets.begin(), octets.end(), v4.begin());
    return boost::asio::ip::address_v4(v4);
  }
  boost::asio::ip::address_v6::bytes_type v6{};
  std::copy(octets.begin(), octets.end(), v6.begin());
  return boost::asio::ip::address_v6(v6);
}

IpAddress from_asio(const boost::asio::ip::address& address) {
  if (address.is_v4()) {
    std::array<std::uint8_t, 4> v4{};
    const auto octets = address.to_v4().to_bytes();
    std::copy(octets.begin(), octets.end(), v4.begin());
    return IpAddress(v4);
  }
  std::array<std::uint8_t, 16> v6{};
  const auto octets = address.to_v6().to_bytes();
  std::copy(octets.begin(), octets.end(), v6.begin());
  return IpAddress(v6);
}

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept {
  const Bytes octets = endpoint.address.octets();
  if (!endpoint.address.is_v4()) {
    std::array<std::uint8_t, 16> v6{};
    std::copy(octets.begin(), octets.end(), v6.begin());
    return write_v6(v6, endpoint.port, out);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(endpoint.port);
  std::memcpy(&v4.sin_addr, octets.data(), octets.size());
  std::memcpy(&out, &v4, sizeof v4);
  return sizeof v4;
}

socklen_t to_mapped_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept {
  if (!endpoint.address.is_v4()) return to_sockaddr(endpoint, out);
  std::array<std::uint8_t, 16> mapped{};  // RFC 4291 §2.5.5.2
  mapped[10] = mapped[11] = 0xff;
  const Bytes octets = endpoint.address.octets();
  std::copy(octets.begin(), octets.end(), mapped.begin() + 12);
  return write_v6(mapped, endpoint.port, out);
}

std::optional<Endpoint> from_sockaddr(const sockaddr_storage& from) noexcept {
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return Endpoint{IpAddress(octets), ntohs(v4.sin_port)};
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof v6);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return Endpoint{IpAddress(octets).unmapped(), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

}  // namespace causeway::net
