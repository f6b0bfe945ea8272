// SPDX-License-Identifier: Apache-2.0
// What belongs to another worker, and how it is handed over.
#include "causeway/turn/siblings.hpp"

#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::Method;

std::optional<WorkerIndex> Server::index() const noexcept {
  if (environment_.siblings == nullptr) return std::nullopt;
  return environment_.siblings->index;
}

// A client that has an allocation here stays: what it asks for elsewhere is refused here.
std::optional<WorkerIndex> Server::sibling_for(const Request& request) const {
  const Siblings* const siblings = environment_.siblings;
  if (siblings == nullptr || allocations_.find(request.packet.client.five_tuple) != nullptr) return std::nullopt;
  const auto named = sibling_named(request);
  if (!named || *named == siblings->index || *named >= siblings->count) return std::nullopt;
  return named;
}

std::optional<WorkerIndex> Server::sibling_named(const Request& request) const {
  const stun::MessageView& message = request.message;
  if (message.method() == Method::kAllocate) {
    const auto token = message.value(AttributeType::kReservationToken);
    if (token && token->size() == ReservationToken{}.size()) return token->front();
  } else if (message.method() == Method::kRefresh) {
    const auto sealed = message.value(AttributeType::kMobilityTicket);
    const auto ticket = tickets_ && sealed ? tickets_->open(*sealed) : std::nullopt;
    if (ticket) return worker_of(ticket->id);
  } else if (message.method() == Method::kConnectionBind) {
    const auto attribute = message.value(AttributeType::kConnectionId);
    const auto id = attribute ? stun::read_u32(*attribute) : std::nullopt;
    if (id) return worker_of(*id);
  }
  return std::nullopt;
}

std::optional<WorkerIndex> Server::sibling_that_relays(const Endpoint& relayed) const noexcept {
  const Siblings* const siblings = environment_.siblings;
  return siblings == nullptr ? std::nullopt : siblings->relays.worker_of(relayed);
}

Outcome Server::hand_over(const ClientPacket& packet, WorkerIndex sibling) noexcept {
  ++counters_.handed_over;
  return HandOver{sibling, packet.bytes, packet.traffic_class};
}

Outcome Server::on_sibling_packet(const Endpoint& from, const Endpoint& to, MutableBytes payload, Now now,
                                  TrafficClass traffic_class) noexcept {
  Allocation* target = find_relayed(to, RelayTransport::kUdp);
  if (target == nullptr) return drop(DropReason::kUnknownRelay);
  return to_client(*target, from, payload, traffic_class, now);
}

}  // namespace causeway::turn
