// SPDX-License-Identifier: Apache-2.0
// Between Endpoint and what the kernel wants. IPv4 only: the load is put on loopback.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "causeway/base/endpoint.hpp"

namespace causeway::load {

inline int check(int result, const char* what) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), what};
  return result;
}

inline sockaddr_in to_sockaddr(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(load_be32(endpoint.address.octets().data()));
  return address;
}

inline Endpoint to_endpoint(const sockaddr_in& address) {
  std::array<std::uint8_t, 4> octets{};
  store_be32(octets.data(), ntohl(address.sin_addr.s_addr));
  return {IpAddress{octets}, ntohs(address.sin_port)};
}

inline Endpoint local_endpoint(int descriptor) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  check(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &bytes), "getsockname");
  return to_endpoint(address);
}

// 127.0.0.LAST:0.
inline Endpoint loopback(std::uint8_t last) {
  return {IpAddress{std::array<std::uint8_t, 4>{127, 0, 0, last}}, 0};
}

}  // namespace causeway::load
