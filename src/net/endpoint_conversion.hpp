// SPDX-License-Identifier: Apache-2.0
// causeway::Endpoint to and from what Asio and the socket API call an address. Zone (scope) ids of link-local
// addresses are not kept.
#pragma once

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_endpoint.hpp>
#include <optional>

#include "causeway/base/endpoint.hpp"

namespace causeway::net {

boost::asio::ip::address to_asio(const IpAddress& address);
IpAddress from_asio(const boost::asio::ip::address& address);

template <class Protocol>  // asio::ip::tcp or asio::ip::udp
boost::asio::ip::basic_endpoint<Protocol> to_asio(const Endpoint& endpoint) {
  return {to_asio(endpoint.address), endpoint.port};
}

// IPv4-mapped addresses, which a dual-stack socket reports for its IPv4 clients, come out as IPv4.
template <class Protocol>
Endpoint from_asio(const boost::asio::ip::basic_endpoint<Protocol>& endpoint) {
  return {from_asio(endpoint.address()).unmapped(), endpoint.port()};
}

// Writes sockaddr_in or sockaddr_in6 by the address's own family and returns its length.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept;

// The same for a socket of AF_INET6 that takes both families: an IPv4 address becomes IPv4-mapped.
socklen_t to_mapped_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept;

// nullopt for a family that is neither AF_INET nor AF_INET6. IPv4-mapped addresses come out as IPv4.
std::optional<Endpoint> from_sockaddr(const sockaddr_storage& from) noexcept;

}  // namespace causeway::net
