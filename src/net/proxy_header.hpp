// SPDX-License-Identifier: Apache-2.0
// The header that a proxy puts in front of a connection which it passes on: the PROXY protocol, versions 1 (a line of
// text) and 2 (binary). It says between which addresses the connection was that the proxy accepted.
#pragma once

#include <cstddef>
#include <optional>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"

namespace causeway::net {

// The specification has version 1 end at 107 octets and leaves a limit for version 2 to the receiver: enough for
// addresses and what proxies add about TLS.
inline constexpr std::size_t kProxyHeaderBytesMax = 4096;

struct ProxiedAddresses {
  Endpoint client;
  Endpoint server;  // where the client connected to
};

struct ProxyHeader {
  // Octets that are still missing for sure: read these, no more, and ask again. What follows the header may be TLS,
  // whose octets must stay in the socket. 0: the header is whole.
  std::size_t missing = 0;
  // Absent in a whole header: the proxy speaks for itself (LOCAL, as in health checks) or does not know (UNKNOWN,
  // UNSPEC, another protocol than TCP over IP).
  std::optional<ProxiedAddresses> addresses{};
};

enum class ProxyHeaderError : std::uint8_t {
  kAbsent,     // the octets begin in another way
  kMalformed,  // what follows the signature breaks a rule
  kTooLong,
};

// `octets` are all that came so far, and no more than earlier answers asked for: what is behind the header is an error.
Result<ProxyHeader, ProxyHeaderError> parse_proxy_header(Bytes octets);

}  // namespace causeway::net
