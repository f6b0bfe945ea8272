// SPDX-License-Identifier: Apache-2.0
// STUN and TURN URIs (RFC 7064 §3.1, RFC 7065 §3.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/result.hpp"

namespace causeway::probe {

enum class ProbeTransport : std::uint8_t { kUdp, kTcp, kTls, kDtls };
std::string_view name_of(ProbeTransport transport);  // "udp"
constexpr bool is_datagram(ProbeTransport transport) noexcept {
  return transport == ProbeTransport::kUdp || transport == ProbeTransport::kDtls;
}
constexpr bool is_secure(ProbeTransport transport) noexcept {
  return transport == ProbeTransport::kTls || transport == ProbeTransport::kDtls;
}

struct ProbeUri {
  bool turn = false;  // else STUN only
  ProbeTransport transport = ProbeTransport::kUdp;
  bool transport_is_free = false;     // a turn: URI that does not name one: SRV records may choose it
  std::string host;                   // a name or an IP address, without brackets
  std::optional<std::uint16_t> port;  // as the URI says

  std::uint16_t port_or_default() const noexcept;
};

struct UriError {
  std::string sentence;
};

Result<ProbeUri, UriError> parse_probe_uri(std::string_view text);

}  // namespace causeway::probe
