// SPDX-License-Identifier: Apache-2.0
// Binding (RFC 8489 §12): the smallest answer there is, without authentication. On the transport addresses of NAT
// behaviour discovery it says more, and may be sent from another one of them or to another port (RFC 5780 §6.1).
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/answer_size.hpp"
#include "causeway/turn/server.hpp"
#include "causeway/turn/unknown_attributes.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

namespace {

constexpr std::array<std::uint8_t, NatDiscovery::kPaddingBytesMax> kPadding{};

bool is_of_discovery(AttributeType type) noexcept {
  return type == AttributeType::kChangeRequest || type == AttributeType::kResponsePort ||
         type == AttributeType::kPadding;
}

// The attributes of ICE checks (RFC 8445 §16.1) arrive when a client probes us.
bool is_understood_in_binding(AttributeType type) noexcept {
  return type == AttributeType::kPriority || type == AttributeType::kUseCandidate || is_understood(type);
}

}  // namespace

Result<Server::BindingPlan, StunError> Server::check_binding(const ClientPacket& packet,
                                                             const stun::MessageView& message) const {
  const FiveTuple& five_tuple = packet.client.five_tuple;
  BindingPlan plan{.discovery = discovery_.answer(five_tuple.server, {}), .client_port = five_tuple.client.port};
  // RFC 5780 §6.1: 420 where there is no second address. A connection has no other ends than its own, so over TCP, TLS
  // and DTLS the addresses are told and the rest is unknown.
  const bool has_discovery = plan.discovery && five_tuple.transport == Transport::kUdp;
  const auto is_known = [&](AttributeType type) {
    return is_understood_in_binding(type) || (has_discovery && is_of_discovery(type));
  };
  if (auto error = check_unknown_attributes(message, is_known)) return *error;
  if (!has_discovery) return plan;

  const auto padding = message.value(AttributeType::kPadding);
  if (const auto attribute = message.value(AttributeType::kResponsePort)) {
    const auto port = stun::read_response_port(*attribute);
    // RFC 5780 §7.5: not together with PADDING. Nothing can be sent to port 0.
    if (padding || !port || *port == 0) return StunError{ErrorCode::kBadRequest};
    plan.client_port = *port;
  }
  if (const auto attribute = message.value(AttributeType::kChangeRequest)) {
    const auto change = stun::read_change_request(*attribute);
    if (!change) return StunError{ErrorCode::kBadRequest};
    plan.discovery = discovery_.answer(five_tuple.server, *change);
  }
  // Deviation: RFC 5780 §6.1, §7.6 ask for a PADDING of the interface's MTU. No more comes back than was sent, so that
  // a forged source is not flooded.
  if (padding) plan.padding_bytes = std::min(padding->size(), NatDiscovery::kPaddingBytesMax);
  return plan;
}

// An allocation proves its own port; what is sent to another one is always counted.
bool Server::may_answer_binding(const ClientPacket& packet, const stun::MessageView& message, Now now) noexcept {
  const FiveTuple& five_tuple = packet.client.five_tuple;
  const bool other_port = five_tuple.transport == Transport::kUdp && message.has(AttributeType::kResponsePort);
  return other_port ? answers_.take(five_tuple.client.address, now.steady) : may_answer_stranger(packet, now);
}

// Deviation: RFC 8489 §12 has Binding served for everybody. An operator may want this server not to be found by those
// who count open STUN servers. Clients lose nothing: the answer to an Allocate has XOR-MAPPED-ADDRESS too.
bool Server::refuses_binding(const ClientPacket& packet) const noexcept {
  return options_.limits.binding_needs_allocation && allocations_.find(packet.client.five_tuple) == nullptr;
}

// Deviation: RFC 5780 §6.1 has all three in each answer. Over UDP what would make it twice as large as the question is
// left out, so that a forged source is worth little; what a client cannot do without comes first.
void Server::add_discovery(const ClientPacket& packet, const stun::MessageView& message, const BindingPlan& plan,
                           stun::MessageBuilder& answer) {
  const FiveTuple& five_tuple = packet.client.five_tuple;
  const AddressFamily family = five_tuple.client.address.family();
  const std::size_t to_come = (plan.padding_bytes ? attribute_bytes(*plan.padding_bytes) : 0) +
                              (message.has(AttributeType::kFingerprint) ? attribute_bytes(sizeof(std::uint32_t)) : 0);
  const std::size_t end = discovery_bytes_end(packet_bytes(family, message.bytes().size()));
  const auto add = [&](AttributeType type, const Endpoint& address) {
    const std::size_t bytes = answer.size() + attribute_bytes(4 + address.address.octets().size()) + to_come;
    if (five_tuple.transport != Transport::kUdp || packet_bytes(family, bytes) < end) answer.add_address(type, address);
  };
  add(AttributeType::kOtherAddress, plan.discovery->other_address);
  add(AttributeType::kResponseOrigin, plan.discovery->response_origin);
  add(AttributeType::kMappedAddress, five_tuple.client);
}

Outcome Server::on_binding(const ClientPacket& packet, const stun::MessageView& message, Now now, ReplyBuffer& reply) {
  ++counters_.requests_by_method[static_cast<std::size_t>(stun::Method::kBinding)];
  if (refuses_binding(packet)) return drop(DropReason::kBindingOfStranger);
  if (!may_answer_binding(packet, message, now)) return drop(DropReason::kAnswerBudget);
  const auto plan = check_binding(packet, message);
  if (!plan) return Reply{write_error(packet, message, plan.error(), nullptr, now, reply)};

  const FiveTuple& five_tuple = packet.client.five_tuple;
  stun::MessageBuilder success{reply, message.method(), stun::MessageClass::kSuccessResponse, message.transaction_id()};
  success.add_xor_address(AttributeType::kXorMappedAddress, five_tuple.client);
  if (plan->discovery) add_discovery(packet, message, *plan, success);
  if (plan->padding_bytes) success.add(AttributeType::kPadding, Bytes{kPadding}.first(*plan->padding_bytes));
  if (message.has(AttributeType::kFingerprint)) success.add_fingerprint();
  const Endpoint client{five_tuple.client.address, plan->client_port};
  const Endpoint from = plan->discovery ? plan->discovery->from : five_tuple.server;
  if (from == five_tuple.server && client == five_tuple.client) return Reply{success.finish()};
  return ReplyFrom{from, client, success.finish()};
}

}  // namespace causeway::turn
