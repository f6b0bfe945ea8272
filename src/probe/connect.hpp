// SPDX-License-Identifier: Apache-2.0
// Opens the real transports: UDP, TCP, and TLS and DTLS with a check of the server's certificate.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "causeway/base/endpoint.hpp"
#include "probe/probe_uri.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

struct CertificateCheck {
  bool skip = false;
  std::optional<std::filesystem::path> authorities;  // PEM; absent: those of the system
};

struct Opened {
  std::unique_ptr<Transport> transport;
  std::string facts;  // of the handshake and the certificate; empty without TLS
};

// Of the host in `uri` one address is `server`. UDP is not heard of before the first request.
Result<Opened, ProbeError> connect(const ProbeUri& uri, const Endpoint& server, const CertificateCheck& check,
                                   TimePoint deadline);

}  // namespace causeway::probe
