// SPDX-License-Identifier: Apache-2.0
// From the host of a URI to the addresses to try, in order. Blocks as long as the system's resolver does.
#pragma once

#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "probe/probe_uri.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

struct Resolved {
  std::vector<Endpoint> servers;  // at least one
  std::string how;                // "SRV _turn._udp.example.org", "default port 3478"; may be empty
  ProbeTransport transport;       // that of the URI, or where it names none, that of the SRV records
};

// A name without a port is looked for with SRV records first (RFC 5928 §3, RFC 8489 §8.1), then by address. Where the
// URI names no transport either, records for UDP go before those for TCP.
Result<Resolved, ProbeError> resolve(const ProbeUri& uri);

}  // namespace causeway::probe
