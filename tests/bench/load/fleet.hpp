// SPDX-License-Identifier: Apache-2.0
// All that is set up with one server for one shape of load: its clients and peers, and the paths between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "load/paths.hpp"
#include "load/relay_link.hpp"
#include "load/relay_setup.hpp"
#include "load/stream_link.hpp"
#include "load/workload.hpp"

namespace causeway::load {

enum class Shape : std::uint8_t { kClientToPeer, kPeerToClient, kBoth, kRelayToRelay, kIndications, kBinding };

enum class ClientTransport : std::uint8_t { kUdp, kTcp, kTls };

struct Plan {
  Shape shape = Shape::kClientToPeer;
  ClientTransport transport = ClientTransport::kUdp;
  std::size_t flows = 100;  // clients
  std::size_t payload_bytes = 160;
  Burst burst;
};

class Fleet {
 public:
  // `number` tells the fleets of a run apart: each has addresses of its own.
  Fleet(const ServerUnderLoad& server, const Plan& plan, const Account& account, std::uint8_t number);

  Paths& paths() noexcept { return paths_; }

 private:
  void add_flow(std::size_t index);
  void add_pair();
  void add_binding_client();
  RelayLink& add_client();
  RelayLink& add_peer(const Endpoint& relayed);
  RelaySetup& setup_of(RelayLink& client);

  ServerUnderLoad server_;
  Plan plan_;
  Account account_;
  std::uint8_t number_;
  TlsContext tls_context_;  // null without TLS
  Paths paths_;
  std::vector<std::unique_ptr<RelayLink>> links_;
  std::vector<std::unique_ptr<RelaySetup>> setups_;
};

}  // namespace causeway::load
