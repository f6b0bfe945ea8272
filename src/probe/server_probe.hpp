// SPDX-License-Identifier: Apache-2.0
// The steps at one address of a server, and at the servers to which it sends its clients.
#pragma once

#include <memory>

#include "probe/connection.hpp"
#include "probe/relay_round.hpp"
#include "probe/report.hpp"

namespace causeway::probe {

class ServerProbe {
 public:
  ServerProbe(Report& report, ProbeOptions options, const Endpoint& server, RandomSource& random)
      : report_(report), options_(std::move(options)), server_(server), random_(random) {}

  // Connect and Binding: whether this address can be used at all.
  bool reach();
  // What follows. reach() was true. `redirections_left`: how many ALTERNATE-SERVERs may be followed.
  void use(int redirections_left);

 private:
  Outcome connect_to_server();
  Outcome bind();
  bool serves_allocations_only();
  void learn_nat_behaviour();
  RelayRound::Result relay(AddressFamily family, bool with_channel);
  bool was_redirected() const { return report_.error().alternate_server.has_value(); }
  void follow(int redirections_left);

  Report& report_;
  ProbeOptions options_;
  Endpoint server_;
  RandomSource& random_;
  std::unique_ptr<Connection> client_;
  std::optional<Endpoint> other_address_;  // RFC 5780
  bool is_redirected_ = false;             // by the Binding response
};

}  // namespace causeway::probe
