// SPDX-License-Identifier: Apache-2.0
#include "net/interfaces.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

std::optional<IpAddress> default_route_source(AddressFamily family) {
  const bool v4 = family == AddressFamily::kIPv4;
  // Any global address does: connecting a UDP socket only looks the route up.
  const Endpoint somewhere{*IpAddress::parse(v4 ? "192.88.99.1" : "2001:4860::1"), 9};
  const int descriptor = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return std::nullopt;
  sockaddr_storage address{};
  socklen_t length = to_sockaddr(somewhere, address);
  std::optional<Endpoint> source;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    length = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0) source = from_sockaddr(address);
  }
  ::close(descriptor);
  if (!source) return std::nullopt;
  return source->address;
}

}  // namespace

Result<std::vector<IpAddress>, error_code> interface_addresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return error_code{errno, boost::system::system_category()};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const bool v4 = entry->ifa_addr->sa_family == AF_INET;
    if (!v4 && entry->ifa_addr->sa_family != AF_INET6) continue;
    sockaddr_storage address{};
    std::memcpy(&address, entry->ifa_addr, v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (const auto endpoint = from_sockaddr(address)) addresses.push_back(endpoint->address);
  }
  return addresses;
}

std::vector<IpAddress> default_route_sources() {
  std::vector<IpAddress> sources;
  for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
    if (const auto source = default_route_source(family)) sources.push_back(*source);
  }
  return sources;
}

}  // namespace causeway::net
