// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine.
#pragma once

#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "net/asio.hpp"

namespace causeway::net {

// Of all interfaces, loopback and those that are down included: one that comes up has its addresses without a word.
// Reads them by netlink, so a sandbox without AF_NETLINK gives an error.
Result<std::vector<IpAddress>, error_code> interface_addresses();

// The addresses from which packets to the internet would be sent, one for each family that has a default route; nothing
// is sent to find out.
std::vector<IpAddress> default_route_sources();

}  // namespace causeway::net
