// SPDX-License-Identifier: Apache-2.0
// The steps from an Allocate to its release: a packet goes through the relay to a peer and back.
#pragma once

#include <memory>
#include <string>

#include "probe/connection.hpp"
#include "probe/report.hpp"

namespace causeway::probe {

class RelayRound {
 public:
  enum class Result : std::uint8_t {
    kDone,
    kFailed,        // the last step of the report says why
    kNoSuchFamily,  // 440: the server relays none of these addresses
    kTryAlternate,  // 300: error() of the report names the other server
  };

  // Relays on addresses of `family`. Without a `client` that is connected the round opens one: some servers remember
  // for a while that a five-tuple had an allocation, and refuse it another one.
  RelayRound(Report& report, const ProbeOptions& options, std::unique_ptr<Connection> client, const Endpoint& server,
             RandomSource& random, AddressFamily family)
      : report_(report),
        options_(options),
        client_(std::move(client)),
        server_(server),
        random_(random),
        family_(family) {}

  // Deletes its allocations, however it ends. Steps of IPv6 have " ipv6" behind their names; `with_channel`: over a
  // channel too.
  Result run(bool with_channel);

 private:
  using Send = std::function<std::optional<ProbeError>(Bytes)>;

  Result allocate_step();
  bool relay_steps(bool with_channel);
  bool step(const char* name, Outcome (RelayRound::*perform)());
  Outcome allocate();
  Outcome allocate_peer();
  Outcome allocate_on(std::unique_ptr<Connection>& connection);
  Outcome permit();
  static Outcome permit_on(Connection& connection, const Endpoint& peer);
  Outcome round_trip();
  Outcome bind_channel();
  Outcome channel_round_trip();
  Outcome there_and_back(const Send& send, std::uint16_t channel);
  Outcome release();
  void abandon();
  Endpoint peer() const { return options_.peer ? *options_.peer : *peer_client_->relayed; }

  Report& report_;
  const ProbeOptions& options_;
  std::unique_ptr<Connection> client_;
  Endpoint server_;
  RandomSource& random_;
  AddressFamily family_;
  std::unique_ptr<Connection> peer_client_;  // absent where the peer is another machine
};

}  // namespace causeway::probe
