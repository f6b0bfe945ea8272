// SPDX-License-Identifier: Apache-2.0
// All that is set up with one server for one shape of load: its clients and peers, and the paths between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "load/link.hpp"
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
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  int epoll() const noexcept { return epoll_; }  // of all links; data.ptr is the Link
  std::size_t paths() const noexcept { return senders_.size(); }
  Link& sender(std::size_t path) noexcept { return *senders_[path]; }
  const ServerClock& server_clock() const noexcept { return server_clock_; }

 private:
  void add_flow(std::size_t index);
  void add_pair();
  void add_binding_client();
  Link& add_client();
  Link& add_peer(const Endpoint& relayed);
  RelaySetup& setup_of(Link& client);
  void add_path(Link& from);
  void watch();

  ServerUnderLoad server_;
  Plan plan_;
  Account account_;
  std::uint8_t number_;
  ServerClock server_clock_;
  TlsContext tls_context_;  // null without TLS
  int epoll_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<RelaySetup>> setups_;
  std::vector<Link*> senders_;  // by path
};

}  // namespace causeway::load
