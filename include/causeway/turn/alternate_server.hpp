// SPDX-License-Identifier: Apache-2.0
// Where clients are sent while this server is draining (RFC 8489 §10, RFC 8656 §7.2): another server with the same
// realms and credentials.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"

namespace causeway::turn {

struct AlternateServer {
  std::vector<Endpoint> addresses{};  // one of each family at most; empty: there is no such server
  std::uint16_t tls_port = 0;         // instead of the port above over TLS and DTLS; 0: the same
  std::string domain{};               // of its certificate, in A-labels; empty: it has the same certificate as this one
};

}  // namespace causeway::turn
