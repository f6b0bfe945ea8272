// SPDX-License-Identifier: Apache-2.0
// The listeners of Causeway that do what coturn's two ports do, found by trying coturn 4.6:
//
//                        udp       dtls              tcp       tls
//   listening-port       udp       udp and dtls      tcp       tcp and tls
//   tls-listening-port   dtls      dtls              tls       tls
//
// where "tcp" says: unless no-tcp, and so on; tls and dtls need a certificate. The second port takes plain TURN even
// with no-udp and no-tcp. Whoever sets those wants encryption, so here it then takes none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/turnserver_settings.hpp"

namespace causeway::config {

inline constexpr std::uint32_t kTurnserverPort = 3478;  // coturn's defaults
inline constexpr std::uint32_t kTurnserverTlsPort = 5349;

struct PlannedListener {
  Listener listener;
  std::string port_option;            // "listening-port"
  std::size_t port_line = 0;          // 0: coturn's default
  Sourced<IpAddress> address_origin;  // line 0: coturn's default
};

bool has_certificate(const TurnserverSettings& settings);

// At most as many as Causeway takes. An address that is left out is noted.
std::vector<PlannedListener> plan_listeners(const TurnserverSettings& settings, std::vector<ImportNote>& notes);

// What became of the lines about addresses and ports that no listener comes from.
std::vector<Sourced<std::string>> remarks_on_listening(const TurnserverSettings& settings,
                                                       const std::vector<PlannedListener>& planned);

}  // namespace causeway::config
