// SPDX-License-Identifier: Apache-2.0
// What a turn::Server has answered to one packet, with all octets copied, and how a test reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/outcome.hpp"
#include "turn_surroundings.hpp"

namespace causeway::test {

using stun::AttributeType;
using stun::ErrorCode;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::Method;
using turn::DropReason;

struct Answer {
  struct PeerPacket {
    turn::RelayId relay;
    Endpoint peer;
    Octets payload;
    TrafficClass traffic_class{};
    bool dont_fragment = false;
  };
  struct ClientPacket {
    turn::ClientRef client;
    Octets bytes;
    TrafficClass traffic_class{};
  };
  std::optional<DropReason> drop;
  std::optional<Octets> reply;
  Endpoint from{};  // of a reply that comes from another address of the server, or goes elsewhere
  Endpoint to{};
  std::optional<PeerPacket> to_peer;
  std::optional<ClientPacket> to_client;
  std::optional<turn::Connect> connect;
  std::optional<turn::ConnectionId> announced;  // the indication is in to_client
  std::optional<turn::ConnectionId> bound;      // the answer is in reply

  // Checks that the outcome touches nothing beyond the packet which caused it.
  static Answer of(const turn::Outcome& outcome, const PacketBuffer& packet);

  // Of the reply, or else of what goes to the client.
  stun::MessageView message() const;
  bool success() const;
  // 0 for a success, -1 where there is no reply.
  int error() const;
  bool has(AttributeType type) const { return message().has(type); }
  turn::ConnectionId connection_id() const;
  std::string text(AttributeType type) const;
  Endpoint address(AttributeType type) const;
  Endpoint plain_address(AttributeType type) const;
  // All that an attribute may be there for, in order.
  std::vector<Endpoint> addresses(AttributeType type) const;
  Endpoint relayed() const { return address(AttributeType::kXorRelayedAddress); }
  std::uint32_t lifetime() const;
  std::vector<std::uint16_t> unknown_attributes() const;
  bool is_data_indication() const;
  bool is_channel_data(std::uint16_t number) const;
};

}  // namespace causeway::test
