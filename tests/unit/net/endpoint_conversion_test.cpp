// SPDX-License-Identifier: Apache-2.0
#include "net/endpoint_conversion.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace causeway::net {
namespace {

using asio_tcp = boost::asio::ip::tcp;
using asio_udp = boost::asio::ip::udp;

Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {*IpAddress::parse(address), port};
}

TEST(EndpointConversion, goes_to_asio_and_back) {
  for (const Endpoint& one : {endpoint("192.0.2.1", 3478), endpoint("2001:db8::1", 443), endpoint("::", 0)}) {
    EXPECT_EQ(from_asio(to_asio<asio_tcp>(one)), one);
    EXPECT_EQ(from_asio(to_asio<asio_udp>(one)), one);
    EXPECT_EQ(to_asio(one.address).to_string(), one.address.to_string());
  }
}

TEST(EndpointConversion, goes_to_sockaddr_and_back) {
  for (const Endpoint& one : {endpoint("192.0.2.1", 3478), endpoint("2001:db8::1", 443)}) {
    sockaddr_storage storage{};
    const socklen_t length = to_sockaddr(one, storage);
    EXPECT_EQ(length, one.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(from_sockaddr(storage), one);
    EXPECT_EQ(to_mapped_sockaddr(one, storage), sizeof(sockaddr_in6));
    EXPECT_EQ(storage.ss_family, AF_INET6);
    EXPECT_EQ(from_sockaddr(storage), one);
  }
}

TEST(EndpointConversion, an_ipv4_client_of_a_dual_stack_socket_is_ipv4) {
  EXPECT_EQ(from_asio(to_asio<asio_tcp>(endpoint("::ffff:192.0.2.1", 80))), endpoint("192.0.2.1", 80));
}

TEST(EndpointConversion, other_families_are_none) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(from_sockaddr(storage), std::nullopt);
}

}  // namespace
}  // namespace causeway::net
