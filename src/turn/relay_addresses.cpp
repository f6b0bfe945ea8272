// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/relay_addresses.hpp"

#include <algorithm>

namespace causeway::turn {
namespace {

std::optional<IpAddress> first_of(const std::vector<IpAddress>& addresses, AddressFamily family) {
  for (const IpAddress& address : addresses) {
    if (address.family() == family) return address;
  }
  return std::nullopt;
}

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

bool RelayAddresses::has_wildcard(AddressFamily family) const noexcept {
  return std::any_of(options_.relay.begin(), options_.relay.end(), [family](const IpAddress& address) {
    return address.family() == family && address.is_unspecified();
  });
}

bool RelayAddresses::is_external(const IpAddress& address) const noexcept {
  return std::any_of(options_.external.begin(), options_.external.end(),
                     [&address](const ExternalAddress& entry) { return entry.external == address; });
}

std::optional<IpAddress> RelayAddresses::of_wildcard(AddressFamily family, const IpAddress& asked) const {
  const bool fits = asked.family() == family && !asked.is_unspecified();
  if (fits && (asked.is_loopback() || contains(options_.interfaces, asked))) return asked;
  const auto by_default = first_of(options_.default_route, family);
  return !by_default && fits ? asked : by_default;
}

std::vector<IpAddress> RelayAddresses::local(AddressFamily family, const IpAddress& asked) const {
  std::vector<IpAddress> found;
  for (const IpAddress& entry : options_.relay) {
    if (entry.family() != family) continue;
    const auto address = entry.is_unspecified() ? of_wildcard(family, asked) : entry;
    if (address && !contains(found, *address)) found.push_back(*address);
  }
  return found;
}

IpAddress RelayAddresses::advertised(const IpAddress& local) const noexcept {
  if (local.is_loopback()) return local;
  IpAddress of_family = local;
  for (const ExternalAddress& entry : options_.external) {
    if (entry.local == local) return entry.external;
    if (!entry.local && entry.external.family() == local.family()) of_family = entry.external;
  }
  return of_family;
}

bool RelayAddresses::is_own(const IpAddress& address) const noexcept {
  return contains(options_.interfaces, address) || contains(options_.default_route, address) ||
         contains(options_.leading_here, address) || is_external(address) || contains(options_.relay, address);
}

bool RelayAddresses::may_relay(const IpAddress& address) const noexcept {
  if (address.is_unspecified()) return false;
  if (is_external(address) || contains(options_.relay, address)) return true;
  return has_wildcard(address.family()) && contains(options_.interfaces, address);
}

}  // namespace causeway::turn
