// SPDX-License-Identifier: Apache-2.0
// Binding (RFC 8489 §12): the smallest answer there is, without authentication.
#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"
#include "causeway/turn/unknown_attributes.hpp"

namespace causeway::turn {

using stun::AttributeType;

namespace {

// The attributes of ICE checks (RFC 8445 §16.1) arrive when a client probes us.
bool is_understood_in_binding(AttributeType type) noexcept {
  return type == AttributeType::kPriority || type == AttributeType::kUseCandidate || is_understood(type);
}

}  // namespace

Outcome Server::on_binding(const ClientPacket& packet, const stun::MessageView& message, Now now, ReplyBuffer& reply) {
  ++counters_.requests_by_method[static_cast<std::size_t>(stun::Method::kBinding)];
  if (!may_answer_stranger(packet, now)) return drop(DropReason::kAnswerBudget);
  if (const auto error = check_unknown_attributes(message, is_understood_in_binding)) {
    return Reply{write_error(packet, message, *error, nullptr, now, reply)};
  }
  stun::MessageBuilder success{reply, message.method(), stun::MessageClass::kSuccessResponse, message.transaction_id()};
  success.add_xor_address(AttributeType::kXorMappedAddress, packet.client.five_tuple.client);
  if (message.has(AttributeType::kFingerprint)) success.add_fingerprint();
  return Reply{success.finish()};
}

}  // namespace causeway::turn
