// SPDX-License-Identifier: Apache-2.0
// One relayed transport address: its socket, and what is advertised for it.
#pragma once

#include <boost/container/static_vector.hpp>

#include "causeway/base/endpoint.hpp"
#include "causeway/turn/relay_ports.hpp"

namespace causeway::turn {

struct Relay {
  RelayId id;
  Endpoint local;            // where its socket is bound
  Endpoint relayed_address;  // as advertised
};

// Those of one allocation: at most one per address family (RFC 8656 §7.2 step 9), IPv4 first.
using Relays = boost::container::static_vector<Relay, 2>;

}  // namespace causeway::turn
