// SPDX-License-Identifier: Apache-2.0
// The path of relayed data: ChannelData and Send indications from the client, datagrams from peers. Nothing here
// allocates, logs or waits, and no payload is copied: it is framed anew in the room around it.
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/turn/server.hpp"
#include "causeway/turn/unknown_attributes.hpp"

namespace causeway::turn {

using stun::AttributeType;

namespace {

// What fits beside two attribute headers and an IPv6 address into the 16 bits of the message length.
constexpr std::size_t kIndicationPayloadBytesMax = 65532 - 2 * stun::kAttributeHeaderBytes - stun::kXorAddressBytesMax;

// RFC 8656 §11.3: XOR-PEER-ADDRESS and DATA, written around the payload where it lies.
Bytes write_data_indication_around(MutableBytes payload, const Endpoint& peer, const stun::TransactionId& id) {
  std::array<std::uint8_t, stun::kXorAddressBytesMax> address{};
  const std::size_t address_bytes = stun::write_xor_address(address.data(), peer, id);
  const std::size_t padding = (4 - payload.size() % 4) % 4;
  const std::size_t attributes_bytes = 2 * stun::kAttributeHeaderBytes + address_bytes + payload.size() + padding;

  std::uint8_t* const begin = payload.data() - 2 * stun::kAttributeHeaderBytes - address_bytes - stun::kHeaderBytes;
  std::uint8_t* to = begin;
  store_be16(to, stun::message_type(stun::Method::kData, stun::MessageClass::kIndication));
  store_be16(to + 2, static_cast<std::uint16_t>(attributes_bytes));
  store_be32(to + 4, stun::kMagicCookie);
  std::copy(id.begin(), id.end(), to + 8);
  to += stun::kHeaderBytes;
  store_be16(to, static_cast<std::uint16_t>(AttributeType::kXorPeerAddress));
  store_be16(to + 2, static_cast<std::uint16_t>(address_bytes));
  std::copy_n(address.begin(), address_bytes, to + stun::kAttributeHeaderBytes);
  to += stun::kAttributeHeaderBytes + address_bytes;
  store_be16(to, static_cast<std::uint16_t>(AttributeType::kData));
  store_be16(to + 2, static_cast<std::uint16_t>(payload.size()));
  std::fill_n(payload.data() + payload.size(), padding, std::uint8_t{0});
  return {begin, stun::kHeaderBytes + attributes_bytes};
}

// RFC 8656 §13: between datagrams of IPv6, or of two families, the attribute is ignored. §15: what comes by a stream
// has no other way to say it.
bool honours_dont_fragment(const FiveTuple& client, const Endpoint& peer) noexcept {
  return is_stream(client.transport) || (client.client.address.is_v4() && peer.address.is_v4());
}

}  // namespace

Outcome Server::on_channel_data(const ClientPacket& packet, Now now) noexcept {
  const auto data = stun::parse_channel_data(packet.bytes);
  if (!data) return drop(DropReason::kMalformedChannelData);
  Allocation* allocation = allocations_.find(packet.client.five_tuple);
  if (allocation == nullptr) return drop(DropReason::kNoAllocation);
  note_arrival(*allocation, packet);
  const Endpoint* peer = allocation->channels.peer_of(data->number, now.steady);
  if (peer == nullptr) return drop(DropReason::kUnknownChannel);
  return to_peer(*allocation, *peer, data->payload, {packet.traffic_class}, now);
}

Outcome Server::on_send(const ClientPacket& packet, const stun::MessageView& message, Now now) noexcept {
  // RFC 8489 §6.3.2.
  bool understood = true;
  message.for_each([&understood](const stun::Attribute& attribute) {
    if (!is_understood(attribute.type)) understood = false;
  });
  if (!understood) return drop(DropReason::kUnknownAttributeInIndication);
  const auto peer_attribute = message.value(AttributeType::kXorPeerAddress);
  const auto data = message.find(AttributeType::kData);
  if (!peer_attribute || !data) return drop(DropReason::kMalformedIndication);
  const auto peer = stun::read_xor_address(*peer_attribute, message.transaction_id());
  if (!peer) return drop(DropReason::kMalformedIndication);
  Allocation* allocation = allocations_.find(packet.client.five_tuple);
  if (allocation == nullptr) return drop(DropReason::kNoAllocation);
  note_arrival(*allocation, packet);
  if (allocation->is_tcp()) return drop(DropReason::kSendOverTcpRelay);
  const std::size_t offset = data->offset + stun::kAttributeHeaderBytes;
  // RFC 8656 §14, §15.
  const bool dont_fragment =
      message.has(AttributeType::kDontFragment) && honours_dont_fragment(packet.client.five_tuple, *peer);
  return to_peer(*allocation, *peer, packet.bytes.subspan(offset, data->value.size()),
                 {packet.traffic_class, dont_fragment}, now);
}

// The marking is copied, as RFC 8656 §14 prefers.
Outcome Server::to_peer(Allocation& allocation, const Endpoint& peer, MutableBytes payload, const Marking& marking,
                        Now now) noexcept {
  // RFC 8656 §12.6, §11.2: a channel's traffic needs a live permission too.
  const Permission* permission = allocation.permissions.find(peer.address, now.steady);
  const Relay* relay = allocation.relay_for(peer.address.family());
  if (permission == nullptr || relay == nullptr) return drop(DropReason::kNoPermission);
  Allocation* const target = permission->own_address ? find_relayed(peer, RelayTransport::kUdp) : nullptr;
  const auto sibling = permission->own_address && target == nullptr ? sibling_that_relays(peer) : std::nullopt;
  const bool is_relayed = target != nullptr || sibling;
  if (permission->own_address && !is_relayed && !policy_.opens_own_address(peer.address)) {
    return drop(DropReason::kOwnAddressNotRelayed);
  }
  if (const auto spent = take_bandwidth(allocation, &Bandwidth::from_client, payload.size(), now)) return drop(*spent);
  allocation.from_client.count(payload.size());
  if (target != nullptr) return to_client(*target, relay->relayed_address, payload, marking.traffic_class, now);
  if (sibling) return ToSibling{*sibling, relay->relayed_address, peer, payload, marking.traffic_class};
  return ToPeer{relay->id, peer, payload, marking.traffic_class, marking.dont_fragment};
}

std::optional<DropReason> Server::take_bandwidth(Allocation& allocation, TokenBucket Bandwidth::*direction,
                                                 std::size_t payload_bytes, Now now) noexcept {
  const RealmLimits& limits = realms_[allocation.client.realm].limits;
  const TokenRate own_rate{limits.allocation_bytes_per_second_max};
  const TokenRate user_rate{limits.user_bytes_per_second_max};
  TokenBucket& own = allocation.bandwidth.*direction;
  TokenBucket& of_user = allocation.quota.bandwidth().*direction;
  if (!own.has_tokens(own_rate, now.steady)) return DropReason::kAllocationBandwidth;
  if (!of_user.has_tokens(user_rate, now.steady)) return DropReason::kUserBandwidth;
  own.take(own_rate, payload_bytes, now.steady);
  of_user.take(user_rate, payload_bytes, now.steady);
  return std::nullopt;
}

Outcome Server::on_peer_packet(RelayId relay, const Endpoint& peer, MutableBytes payload, Now now,
                               TrafficClass traffic_class) noexcept {
  Allocation* allocation = allocations_.find(relay);
  if (allocation == nullptr) return drop(DropReason::kUnknownRelay);
  return to_client(*allocation, peer, payload, traffic_class, now);
}

// RFC 8656 §11.3, §12.7.
Outcome Server::to_client(Allocation& allocation, const Endpoint& peer, MutableBytes payload,
                          TrafficClass traffic_class, Now now) noexcept {
  if (allocation.permissions.find(peer.address, now.steady) == nullptr) return drop(DropReason::kNoPermission);
  if (allocation.mobility && allocation.mobility->is_away) return drop(DropReason::kClientAway);
  const auto number = allocation.channels.number_of(peer, now.steady);
  if (!number && payload.size() > kIndicationPayloadBytesMax) return drop(DropReason::kTooLargeForIndication);
  if (const auto spent = take_bandwidth(allocation, &Bandwidth::from_peers, payload.size(), now)) return drop(*spent);
  allocation.from_peers.count(payload.size());
  if (number) {
    return ToClient{allocation.client, stun::write_channel_data_in_front(payload, *number), traffic_class};
  }
  return ToClient{allocation.client, write_data_indication_around(payload, peer, next_transaction_id()), traffic_class};
}

// Deviation: RFC 8489 §5 wants it cryptographically random. It is unique and of no pattern; as no response is matched
// with it, it protects nothing, and a generator of that kind would cost more than the rest of the relay path.
stun::TransactionId Server::next_transaction_id() noexcept {
  const std::uint64_t first = mix_hash(transaction_seed_, ++indications_sent_);
  const std::uint64_t second = mix_hash(first, indications_sent_);
  stun::TransactionId id{};
  store_be32(id.data(), static_cast<std::uint32_t>(first));
  store_be32(id.data() + 4, static_cast<std::uint32_t>(first >> 32));
  store_be32(id.data() + 8, static_cast<std::uint32_t>(second));
  return id;
}

}  // namespace causeway::turn
