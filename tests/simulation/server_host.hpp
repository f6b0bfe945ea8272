// SPDX-License-Identifier: Apache-2.0
// The machine that the server under test runs on: what src/net is to the daemon, without sockets. It hands packets to
// turn::Server, performs the outcomes, fires the timer, and shows each step to the model.
#pragma once

#include <map>
#include <memory>
#include <ostream>
#include <set>

#include "causeway/stun/framer.hpp"
#include "causeway/turn/server.hpp"
#include "model.hpp"
#include "network.hpp"

namespace causeway::simulation {

inline constexpr std::uint16_t kServerPort = 3478;  // UDP and TCP
inline constexpr std::uint16_t kTlsPort = 5349;     // DTLS and TLS

class ServerHost : public turn::RelayPorts, public turn::Events {
 public:
  struct Setup {
    turn::ServerOptions options;
    turn::RealmLimits realm_limits;
    std::vector<IpAddress> addresses;           // clients reach it here
    std::map<IpAddress, IpAddress> advertised;  // of a local relay address, where that is another one
    double open_failures = 0;
  };
  // trace: nullptr for silence.
  ServerHost(EventQueue& queue, Network& network, Random& random, const Rules& rules, const Setup& setup,
             std::ostream* trace);
  ~ServerHost() override = default;

  const Model& model() const noexcept { return model_; }
  std::size_t allocations() const noexcept { return server_.allocations().size(); }
  // Ends all allocations. Afterwards there must be nothing left.
  void stop();

  // turn::RelayPorts
  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override;
  void close(turn::RelayId id) noexcept override;
  // turn::Events
  void on_allocation_created(const turn::Allocation&) override { ++created_; }
  void on_allocation_moving(const turn::Allocation&, const turn::FiveTuple&) override {}
  void on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now now) override;
  void on_request_refused(const turn::FiveTuple&, stun::Method, stun::ErrorCode, std::string_view) override {}

 private:
  struct Connection {
    std::uint64_t link;
    turn::FiveTuple five_tuple;
    std::shared_ptr<Stream> stream;
    stun::StreamFramer framer;
  };
  void receive(const Endpoint& from, const Endpoint& to, Bytes bytes);
  void accept(const std::shared_ptr<Stream>& stream);
  void read(Connection& connection, Bytes bytes);
  void hang_up(std::uint64_t link, bool by_client);
  void from_client(const turn::ClientRef& client, MutableBytes bytes);
  void from_peer(turn::RelayId relay, const Endpoint& relayed, const Endpoint& peer, MutableBytes payload);
  void perform(const turn::ClientRef& from, const turn::Outcome& outcome);
  void to_client(const turn::ClientRef& client, Bytes bytes);
  void fire_timer();
  void settle();
  Endpoint advertised(const Endpoint& local) const;
  void note(const char* what, const Endpoint& from, const Endpoint& to, Bytes bytes) const;

  EventQueue& queue_;
  Network& network_;
  Random& random_;
  Setup setup_;
  Model model_;
  std::ostream* trace_;
  Random server_random_;
  std::map<Endpoint, turn::RelayId> relays_;  // by advertised address
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t next_link_ = 1;
  std::uint64_t created_ = 0;
  std::uint64_t ended_ = 0;
  std::exception_ptr violation_;  // found where nothing may be thrown
  TimePoint armed_for_ = TimePoint::max();
  turn::Server server_;
};

}  // namespace causeway::simulation
