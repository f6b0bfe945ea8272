// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine.
#pragma once

#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "net/asio.hpp"

namespace causeway::net {

// Of all interfaces, loopback and those that are down included: one that comes up has its addresses without a word.
// Reads them by netlink, so a sandbox without AF_NETLINK gives an error.
Result<std::vector<IpAddress>, error_code> interface_addresses();

// The address from which packets to the internet would be sent; nothing is sent to find out. nullopt: no default route.
std::optional<IpAddress> default_route_source(AddressFamily family);

}  // namespace causeway::net
