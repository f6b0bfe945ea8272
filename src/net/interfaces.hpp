// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine.
#pragma once

#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"

namespace causeway::net {

// Of all interfaces that are up, loopback included. Empty when the system does not tell.
std::vector<IpAddress> interface_addresses();

// The address from which packets to the internet would be sent; nothing is sent to find out. nullopt: no default route.
std::optional<IpAddress> default_route_source(AddressFamily family);

}  // namespace causeway::net
