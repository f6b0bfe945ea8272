// SPDX-License-Identifier: Apache-2.0
// One client of the server that is probed, with its transport and its allocation.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "causeway/base/random.hpp"
#include "net/system_clock.hpp"
#include "probe/probe.hpp"

namespace causeway::probe {

struct Connection {
  static Result<std::unique_ptr<Connection>, ProbeError> open(const ProbeOptions& options, const Endpoint& server,
                                                              RandomSource& random) {
    const TimePoint deadline = read_clock().steady + options.timeout;
    auto opened = connect(options.uri, server, options.certificate_check, deadline);
    if (!opened) return opened.error();
    return std::make_unique<Connection>(std::move(*opened), random, options);
  }

  Connection(Opened opened, RandomSource& random, const ProbeOptions& options)
      : transport(std::move(opened.transport)),
        facts(std::move(opened.facts)),
        client(
            *transport, random, [] { return read_clock().steady; }, options.timeout) {
    if (options.credential) client.set_credential(*options.credential);
  }

  std::unique_ptr<Transport> transport;
  std::string facts;
  StunClient client;
  std::optional<Endpoint> relayed;  // of the allocation, while there is one
};

}  // namespace causeway::probe
