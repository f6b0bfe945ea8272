// SPDX-License-Identifier: Apache-2.0
// Relayed data: what may pass must pass, unchanged and to the right one, and nothing else may.
#include <algorithm>
#include <cmath>

#include "causeway/stun/attributes.hpp"
#include "model.hpp"
#include "payload.hpp"

namespace causeway::simulation {

using stun::AttributeType;

namespace {

bool equal(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

void Model::expect_drop(const turn::Outcome& outcome, const char* because) {
  require(std::holds_alternative<turn::Drop>(outcome), std::string{"something came out, although "} + because);
  ++statistics_.not_permitted;
}

void Model::on_channel_data(const turn::ClientRef& from, Bytes packet, const turn::Outcome& outcome, Now now) {
  if (packet.size() < 4 || packet.size() < 4u + load_be16(packet.data() + 2)) {
    return expect_drop(outcome, "the ChannelData is malformed");
  }
  Allocation* allocation = find(from.five_tuple);
  if (allocation == nullptr) return expect_drop(outcome, "the sender of ChannelData has no allocation");
  allocation->note_arrival(from.five_tuple);
  const auto channel = allocation->channels.find(load_be16(packet.data()));
  if (channel == allocation->channels.end() || channel->second.expires_at <= now.steady) {
    return expect_drop(outcome, "the channel is not bound");
  }
  const Bytes payload = packet.subspan(4, load_be16(packet.data() + 2));
  expect_to_peer(*allocation, channel->second.peer, payload, outcome, now.steady);
}

void Model::on_send(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome,
                    Now now) {
  const auto peer_attribute = message.value(AttributeType::kXorPeerAddress);
  const auto data = message.value(AttributeType::kData);
  if (!peer_attribute || !data) return expect_drop(outcome, "the Send indication lacks an attribute");
  const auto peer = stun::read_xor_address(*peer_attribute, message.transaction_id());
  if (!peer) return expect_drop(outcome, "the Send indication names no peer");
  Allocation* allocation = find(from.five_tuple);
  if (allocation == nullptr) return expect_drop(outcome, "the sender of an indication has no allocation");
  allocation->note_arrival(from.five_tuple);
  expect_to_peer(*allocation, *peer, *data, outcome, now.steady);
}

// False when the octets of the allocation or of its user are spent.
bool Model::take_octets(Allocation& allocation, Meter Meters::*direction, std::size_t octets,
                        const turn::Outcome& outcome, TimePoint now) {
  const auto* drop = std::get_if<turn::Drop>(&outcome);
  const bool was_dropped = drop != nullptr && (drop->reason == turn::DropReason::kAllocationBandwidth ||
                                               drop->reason == turn::DropReason::kUserBandwidth);
  const auto refill = [&](Meter& meter, std::uint64_t rate) {
    const auto limit = static_cast<double>(rate);
    const bool is_new = meter.at == TimePoint::min();
    const double elapsed = is_new ? 0 : std::chrono::duration<double>(now - meter.at).count();
    meter = {is_new ? limit : std::min(limit, meter.octets + limit * elapsed), now};
    if (rate == 0) return true;
    // The server counts in nanoseconds; so near the edge it may be right either way.
    return std::abs(meter.octets - 1) < 0.01 ? !was_dropped : meter.octets >= 1;
  };
  Meter& own = allocation.meters.*direction;
  Meter& of_user = user_meters_[allocation.user].*direction;
  const bool own_left = refill(own, rules_.allocation_octets_per_second);
  const bool user_left = refill(of_user, rules_.user_octets_per_second);
  if (!own_left || !user_left) {
    ++statistics_.bandwidth_drops;
    return false;
  }
  own.octets -= static_cast<double>(octets);
  of_user.octets -= static_cast<double>(octets);
  return true;
}

void Model::expect_to_peer(Allocation& from, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                           TimePoint now) {
  if (!from.permits(peer.address, now)) return expect_drop(outcome, "there is no live permission for the peer");
  require(is_relayed_address(peer.address) || !is_denied(peer.address), "there is a permission for a denied peer");
  const Relay* relay = from.relay_for(peer.address);
  require(relay != nullptr, "there is a permission for a family without a relay");
  Allocation* to = is_relayed_address(peer.address) ? find_relayed(peer) : nullptr;
  if (is_relayed_address(peer.address) && to == nullptr) {
    return expect_drop(outcome, "the peer is no live relayed transport address of this server");
  }
  if (!take_octets(from, &Meters::from_client, payload.size(), outcome, now)) {
    return expect_drop(outcome, "the client has sent as much as it may");
  }
  if (to != nullptr) {
    if (!to->permits(relay->relayed.address, now))
      return expect_drop(outcome, "the other allocation does not permit it");
    ++statistics_.in_process;
    return expect_to_client(*to, relay->relayed, payload, outcome, now);
  }
  const auto* to_peer = std::get_if<turn::ToPeer>(&outcome);
  require(to_peer != nullptr, "data for a permitted peer was not relayed to " + peer.to_string());
  require(to_peer->peer == peer, "data for " + peer.to_string() + " was sent to " + to_peer->peer.to_string());
  require(equal(to_peer->payload, payload), "data changed on its way to a peer");
  const auto socket = sockets_.find({to_peer->relay.slot, to_peer->relay.generation});
  require(socket != sockets_.end(), "data was sent through a socket that is not open");
  require(socket->second == relay->relayed, "data was sent from the relayed transport address of another allocation");
  ++statistics_.to_peers;
}

void Model::on_peer_packet(const Endpoint& relayed, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                           Now now) {
  forget_what_is_over(now.steady);
  Allocation* to = find_relayed(relayed);
  if (to == nullptr) return expect_drop(outcome, "the relayed transport address has no allocation");
  if (!to->permits(peer.address, now.steady)) return expect_drop(outcome, "the peer has no live permission");
  expect_to_client(*to, peer, payload, outcome, now.steady);
}

void Model::expect_to_client(Allocation& to, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                             TimePoint now) {
  if (to.mobility && to.mobility->is_away) return expect_drop(outcome, "the client's connection has ended");
  if (!take_octets(to, &Meters::from_peers, payload.size(), outcome, now)) {
    return expect_drop(outcome, "the client has got as much as it may");
  }
  const auto* to_client = std::get_if<turn::ToClient>(&outcome);
  require(to_client != nullptr, "data of a permitted peer was not relayed to the client");
  require(to_client->client.five_tuple == to.client.five_tuple && to_client->client.link == to.client.link,
          "data was relayed to another client");
  ++statistics_.to_clients;
  if (const auto number = to.channel_to(peer, now)) {
    require(to_client->bytes.size() == 4 + payload.size() && load_be16(to_client->bytes.data()) == *number &&
                load_be16(to_client->bytes.data() + 2) == payload.size(),
            "the peer has a channel, but the data did not come with its header");
    return require(equal(to_client->bytes.subspan(4), payload), "data changed on its way to a client");
  }
  const auto message = stun::MessageView::parse(to_client->bytes);
  require(message.has_value(), "neither ChannelData nor STUN was relayed to a client");
  require(message->method() == stun::Method::kData && message->message_class() == stun::MessageClass::kIndication,
          "data was relayed in something else than a Data indication");
  const auto source = message->value(AttributeType::kXorPeerAddress);
  require(source && stun::read_xor_address(*source, message->transaction_id()) == peer,
          "a Data indication names another peer than the one it is from");
  const auto data = message->value(AttributeType::kData);
  require(data && equal(*data, payload), "data changed on its way to a client");
}

}  // namespace causeway::simulation
