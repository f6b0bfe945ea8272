// SPDX-License-Identifier: Apache-2.0
// One relayed transport address: its socket, and what is advertised for it.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"
#include "causeway/turn/relay_ports.hpp"

namespace causeway::turn {

// Towards peers. The values are those of REQUESTED-TRANSPORT (RFC 8656 §18.8, RFC 6062 §4.1).
enum class RelayTransport : std::uint8_t { kTcp = 6, kUdp = 17 };

struct Relay {
  RelayId id;
  Endpoint local;            // where its socket is bound
  Endpoint relayed_address;  // as advertised
  RelayTransport transport = RelayTransport::kUdp;
  TimePoint expires_at{};  // of an allocation's: each family is refreshed by itself (RFC 8656 §8.1)
};

// Those of one allocation: at most one per address family (RFC 8656 §7.2 step 9), IPv4 first,
// and all of one transport.
using Relays = boost::container::static_vector<Relay, 2>;

}  // namespace causeway::turn
