// SPDX-License-Identifier: Apache-2.0
#include "load/fleet.hpp"

#include <sys/epoll.h>

#include "load/datagram_link.hpp"
#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

constexpr std::uint16_t kChannel = 0x4001;

}  // namespace

Fleet::Fleet(const ServerUnderLoad& server, const Plan& plan, const Account& account, std::uint8_t number)
    : server_(server),
      plan_(plan),
      account_(account),
      number_(number),
      tls_context_(plan.transport == ClientTransport::kTls ? make_tls_context() : nullptr),
      paths_(server) {
  if (plan_.shape == Shape::kRelayToRelay) {
    for (std::size_t i = 0; i < plan_.flows; i += 2)
      add_pair();
  } else {
    for (std::size_t i = 0; i < plan_.flows; ++i)
      plan_.shape == Shape::kBinding ? add_binding_client() : add_flow(i);
  }
  for (const auto& link : links_)
    paths_.watch(*link, EPOLLIN);
}

RelayLink& Fleet::add_client() {
  // Not the server's own address: its relay ports and our client ports stay out of each other's way.
  const Endpoint local = loopback(static_cast<std::uint8_t>(10 + number_));
  if (plan_.transport == ClientTransport::kUdp) {
    auto link = std::make_unique<DatagramLink>(local);
    link->connect(server_.address);
    links_.push_back(std::move(link));
  } else {
    links_.push_back(std::make_unique<StreamLink>(local, server_.address, tls_context_.get()));
  }
  return *links_.back();
}

RelayLink& Fleet::add_peer(const Endpoint& relayed) {
  auto link = std::make_unique<DatagramLink>(loopback(static_cast<std::uint8_t>(110 + number_)));
  link->connect(relayed);
  links_.push_back(std::move(link));
  return *links_.back();
}

RelaySetup& Fleet::setup_of(RelayLink& client) {
  if (server_.kind == "bare")
    setups_.push_back(std::make_unique<BareSetup>(client));
  else
    setups_.push_back(std::make_unique<TurnSetup>(client, account_));
  return *setups_.back();
}

void Fleet::add_flow(std::size_t index) {
  RelayLink& client = add_client();
  RelaySetup& setup = setup_of(client);
  const Endpoint relayed = setup.allocate();
  RelayLink& peer = add_peer(relayed);
  const Endpoint peer_address = local_endpoint(peer.descriptor());
  const Framing plain = Framing::plain(plan_.payload_bytes);
  const bool indications = plan_.shape == Shape::kIndications;
  const Framing framed = indications ? Framing::indication(peer_address, plan_.payload_bytes)
                                     : Framing::channel_data(kChannel, plan_.payload_bytes);
  if (indications)
    setup.permit(peer_address);
  else
    setup.bind_channel(kChannel, peer_address);
  client.prepare(framed, framed, plan_.burst);
  peer.prepare(plain, plain, plan_.burst);
  const bool both = plan_.shape == Shape::kBoth;
  // Indications go one way in every other flow: both ways in all.
  if (both || plan_.shape == Shape::kClientToPeer || (indications && index % 2 == 0)) paths_.add(client);
  if (both || plan_.shape == Shape::kPeerToClient || (indications && index % 2 == 1)) paths_.add(peer);
}

void Fleet::add_pair() {
  RelayLink& one = add_client();
  RelayLink& other = add_client();
  RelaySetup &one_setup = setup_of(one), &other_setup = setup_of(other);
  const Endpoint one_relayed = one_setup.allocate(), other_relayed = other_setup.allocate();
  one_setup.bind_channel(kChannel, other_relayed);
  other_setup.bind_channel(kChannel, one_relayed);
  const Framing framing = Framing::channel_data(kChannel, plan_.payload_bytes);
  one.prepare(framing, framing, plan_.burst);
  other.prepare(framing, framing, plan_.burst);
  paths_.add(one);
  paths_.add(other);
}

void Fleet::add_binding_client() {
  RelayLink& client = add_client();
  const Framing framing = Framing::binding();
  client.prepare(framing, framing, plan_.burst);
  paths_.add(client);
}

}  // namespace causeway::load
