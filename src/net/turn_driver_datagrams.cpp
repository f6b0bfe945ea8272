// SPDX-License-Identifier: Apache-2.0
// The UDP side of the driver: what a round reads, what it sends, and the errors that come back.
#include <algorithm>
#include <cerrno>

#include "causeway/stun/channel_data.hpp"
#include "net/system_clock.hpp"
#include "net/turn_driver.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {
namespace {

// Per readiness: a busy socket does not starve the others, and what is left is reported again.
constexpr std::size_t kListenerDatagramsMax = 32;
constexpr std::size_t kRelayDatagramsMax = 16;
constexpr int kRelayErrorsMax = 16;

bool is_dtls(Bytes datagram) {
  return !datagram.empty() && stun::classify_first_octet(datagram.front()) == stun::FirstOctet::kDtlsOrTls;
}

bool is_binding_request(Bytes datagram) {
  return datagram.size() >= 2 && load_be16(datagram.data()) == static_cast<std::uint16_t>(stun::Method::kBinding);
}

}  // namespace

void TurnDriver::on_readable(std::uint64_t token) {
  if ((token & RelaySockets::kTokenBit) != 0) {
    read_relay(token);
  } else if (token == kMailToken) {
    read_mail();
  } else {
    read_listener(static_cast<std::size_t>(token));
  }
}

void TurnDriver::begin_round() {
  now_ = read_clock();
  ++round_;
  datagrams_ = 0;
}

std::size_t TurnDriver::end_round() {
  flush();
  received_.clear();
  if (mailbox_) mailbox_->release();
  return datagrams_;
}

void TurnDriver::make_room(std::size_t datagrams) noexcept {
  if (received_.free_slots() >= datagrams) return;
  flush();
  received_.clear();
}

// What is framed anew in place reaches into what lies in front, which may still have to leave.
template <class Handle>
void TurnDriver::handle_behind_others(MutableBytes datagram, Handle handle) {
  if (sends_.is_full()) flush();
  constexpr std::size_t kBefore = SendBatch::kHeadBytesMax;
  std::array<std::uint8_t, kBefore> before;  // NOLINT: written before they are read
  std::copy_n(datagram.data() - kBefore, kBefore, before.data());
  segment_ = datagram;
  handle(datagram);
  segment_ = {};
  std::copy_n(before.data(), kBefore, datagram.data() - kBefore);
}

template <class Handle>
void TurnDriver::for_each_datagram(const Received& received, Handle handle) {
  if (sends_.is_full()) flush();
  ++datagrams_;
  if (received.is_one()) return handle(received.bytes);
  std::array<std::uint8_t, turn::Server::kTailroomBytes> behind;  // NOLINT: written before they are read
  for (MutableBytes rest = received.bytes; !rest.empty();) {
    const MutableBytes datagram = rest.first(std::min(received.segment_bytes, rest.size()));
    rest = rest.subspan(datagram.size());
    std::uint8_t* const end = datagram.data() + datagram.size();
    std::copy_n(end, behind.size(), behind.data());
    handle_behind_others(datagram, handle);
    std::copy_n(behind.data(), behind.size(), end);
  }
}

// A stream's messages lie one behind the other, each with its own padding.
void TurnDriver::on_stream_message(TurnStreamSession& session, MutableBytes message, Now now) {
  static_assert(stun::StreamFramer::kHeadroomBytes >= SendBatch::kHeadBytesMax);
  handle_behind_others(message, [&](MutableBytes in_hand) {
    perform(server_.on_client_packet({session.client(), in_hand}, now, reply_), &session.client());
  });
}

void TurnDriver::read_listener(std::size_t index) {
  make_room(kListenerDatagramsMax);
  for (const Received& received : received_.receive(listeners_[index].socket, kListenerDatagramsMax)) {
    for_each_datagram(received, [&](MutableBytes datagram) { on_listener_datagram(index, received, datagram); });
  }
}

// RFC 7983: STUN, ChannelData and DTLS on one socket differ in the first octet.
void TurnDriver::on_listener_datagram(std::size_t index, const Received& received, MutableBytes datagram) {
  const Listener& listener = listeners_[index];
  turn::ClientRef client{{received.from, {received.local, listener.port}, turn::Transport::kUdp},
                         index,
                         selector_.by_address(received.local)};
  if (listener.dtls && is_dtls(datagram)) {
    client.five_tuple.transport = turn::Transport::kDtls;
    dtls_->on_datagram(client, datagram, dtls_room(), now_);
  } else if (listener.plain || is_binding_request(datagram)) {
    perform(server_.on_client_packet({client, datagram, received.traffic_class}, now_, reply_), &client);
  } else {
    ++counters_.plain_turn_refused;
  }
}

// One datagram at a time, as most have but one; a relay that is readable again in the next round has more.
void TurnDriver::read_relay(std::uint64_t token) {
  RelaySockets::Relay* relay = relays_.find(token);
  if (relay == nullptr) return;
  const turn::RelayId id = relay->id;
  const bool has_many = relay->read_in_round + 1 == round_;
  relay->read_in_round = round_;
  const std::size_t wanted = has_many ? kRelayDatagramsMax : 1;
  make_room(wanted);
  for (const Received& received : received_.receive(relay->socket, wanted)) {
    for_each_datagram(received, [&](MutableBytes datagram) {
      perform(server_.on_peer_packet(id, received.from, datagram, now_, received.traffic_class), nullptr);
    });
  }
}

// A listener asks for no errors, as its clients ask again; if it has one all the same, reading takes it away.
void TurnDriver::on_error(std::uint64_t token) {
  if ((token & RelaySockets::kTokenBit) == 0) return on_readable(token);
  const RelaySockets::Relay* relay = relays_.find(token);
  if (relay != nullptr) read_errors(relay->id, nullptr, read_clock());
}

void TurnDriver::read_errors(turn::RelayId id, const Endpoint* sent_to, Now now) {
  for (int i = 0; i < kRelayErrorsMax; ++i) {
    RelaySockets::Relay* relay = relays_.find(id);
    if (relay == nullptr) return;
    auto error = relay->socket.next_error();
    if (!error) return;
    if (error->to.port == 0) {
      if (sent_to == nullptr || sent_to->address != error->to.address) continue;
      error->to = *sent_to;
    }
    perform(server_.on_icmp_error(id, error->to, {error->type, error->code, error->mtu}, now, reply_), nullptr);
    flush();
  }
}

void TurnDriver::send_from(const turn::ReplyFrom& reply) {
  Listener* listener = find_listener(reply.server);
  const bool sent = listener != nullptr && listener->socket.send(reply.bytes, reply.client, {&reply.server.address});
  if (!sent) ++counters_.send_failures;
}

void TurnDriver::send_to_peer(const turn::ToPeer& to_peer) {
  if (to_peer.dont_fragment) return send_at_once(to_peer);
  if (RelaySockets::Relay* relay = relays_.find(to_peer.relay)) {
    add({&relay->socket, to_peer.peer, nullptr, to_peer.traffic_class}, to_peer.payload);
  }
}

// An error towards one peer ends nothing: the datagram is lost, as on any network.
void TurnDriver::send_at_once(const turn::ToPeer& to_peer) {
  flush();
  RelaySockets::Relay* relay = relays_.find(to_peer.relay);
  const UdpSocket::SendOptions options{nullptr, to_peer.traffic_class, to_peer.dont_fragment};
  if (relay != nullptr && relay->socket.send(to_peer.payload, to_peer.peer, options)) return;
  ++counters_.send_failures;
  if (relay != nullptr && errno == EMSGSIZE) read_errors(to_peer.relay, &to_peer.peer, read_clock());
}

void TurnDriver::add(const SendBatch::Flow& flow, Bytes datagram) noexcept {
  if (sends_.is_full()) flush();
  const bool is_received =
      datagram.data() < segment_.data() + segment_.size() && segment_.data() < datagram.data() + datagram.size();
  sends_.add(flow, datagram, is_received ? segment_ : Bytes{});
}

const IpAddress* TurnDriver::source_for(const turn::ClientRef& client) const noexcept {
  const bool wildcard = listeners_[static_cast<std::size_t>(client.link)].socket.bound_address().is_unspecified();
  return wildcard ? &client.five_tuple.server.address : nullptr;
}

void TurnDriver::send_datagram(const turn::ClientRef& client, Bytes datagram) {
  UdpSocket& socket = listeners_[static_cast<std::size_t>(client.link)].socket;
  if (!socket.send(datagram, client.five_tuple.client, {source_for(client)})) ++counters_.send_failures;
}

}  // namespace causeway::net
