// SPDX-License-Identifier: Apache-2.0
#include "net/turn_driver.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "causeway/stun/channel_data.hpp"
#include "net/system_clock.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {
namespace {

// Per readiness: a busy socket does not starve the others, and what is left is reported again.
constexpr int kListenerDatagramsMax = 64;
constexpr int kRelayDatagramsMax = 16;
constexpr int kRelayErrorsMax = 16;

bool is_dtls(Bytes datagram) {
  return !datagram.empty() && stun::classify_first_octet(datagram.front()) == stun::FirstOctet::kDtlsOrTls;
}

bool is_binding_request(Bytes datagram) {
  return datagram.size() >= 2 && load_be16(datagram.data()) == static_cast<std::uint16_t>(stun::Method::kBinding);
}

}  // namespace

TurnDriver::TurnDriver(const asio::any_io_executor& executor, const turn::ServerOptions& options,
                       std::vector<turn::RealmOptions> realms, RealmSelector selector, const turn::NonceKey& nonce_key,
                       RandomSource& random, turn::Events& events)
    : loop_(executor, *this),
      relays_(loop_),
      tcp_relays_(executor, *this),
      random_(random),
      selector_(std::move(selector)),
      server_(options, std::move(realms), nonce_key, {relays_, random, events, &tcp_relays_}),
      timer_(executor) {}

TurnDriver::~TurnDriver() = default;

void TurnDriver::enable_dtls(const TlsContext& certificate) {
  DtlsEndpoint::Owner& owner = *this;
  dtls_ = std::make_unique<DtlsEndpoint>(certificate, random_, owner);
}

Result<Endpoint, error_code> TurnDriver::listen(const Endpoint& local, turn::Transport transport) {
  const bool dtls = transport == turn::Transport::kDtls;
  const auto shared = std::find_if(listeners_.begin(), listeners_.end(), [&](const Listener& listener) {
    return local.port != 0 && listener.asked == local && (dtls ? !listener.dtls : !listener.plain);
  });
  if (shared != listeners_.end()) {
    shared->plain = shared->dtls = true;
    return Endpoint{local.address, shared->port};
  }
  const auto opened = open_listener(local);
  if (!opened) return opened.error();
  Listener& listener = **opened;
  listener.plain = !dtls;
  listener.dtls = dtls;
  return Endpoint{local.address, listener.port};
}

Result<void, error_code> TurnDriver::answer_binding_at(const Endpoint& local) {
  if (find_listener(local) != nullptr) return {};
  const auto opened = open_listener(local);
  if (!opened) return opened.error();
  return {};
}

Result<TurnDriver::Listener*, error_code> TurnDriver::open_listener(const Endpoint& local) {
  UdpSocket socket;
  const bool opened =
      socket.open(local, UdpSocket::Purpose::kListener) && loop_.add(socket.descriptor(), listeners_.size());
  if (!opened) return error_code{errno, boost::system::system_category()};
  const Endpoint bound = socket.local_endpoint().value_or(local);
  return &listeners_.emplace_back(Listener{local, std::move(socket), bound.port});
}

TurnDriver::Listener* TurnDriver::find_listener(const Endpoint& server) {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(), [&](const Listener& listener) {
    return listener.port == server.port && listener.asked.address.covers(server.address);
  });
  return found == listeners_.end() ? nullptr : &*found;
}

void TurnDriver::start() {
  loop_.start();
}

void TurnDriver::set_certificate(const TlsContext& certificate) {
  if (dtls_) dtls_->set_certificate(certificate);
}

void TurnDriver::drain(std::function<void()> drained) {
  server_.drain();
  drained_ = std::move(drained);
  notice_drained();
}

void TurnDriver::notice_drained() {
  if (!drained_ || server_.allocations().size() != 0) return;
  asio::post(timer_.get_executor(), std::exchange(drained_, nullptr));
}

void TurnDriver::on_idle() {
  arm_timer();
  notice_drained();
}

void TurnDriver::stop() {
  drained_ = nullptr;
  server_.stop(read_clock());
  if (dtls_) dtls_->stop();
  loop_.stop();
  timer_.cancel();
}

void TurnDriver::on_readable(std::uint64_t token) {
  if ((token & RelaySockets::kTokenBit) != 0) {
    read_relay(token);
  } else {
    read_listener(static_cast<std::size_t>(token));
  }
}

void TurnDriver::read_listener(std::size_t index) {
  const Now now = read_clock();
  for (int i = 0; i < kListenerDatagramsMax; ++i) {
    const auto received = listeners_[index].socket.receive(room());
    if (!received) return;
    on_listener_datagram(index, *received, now);
  }
}

// RFC 7983: STUN, ChannelData and DTLS on one socket differ in the first octet.
void TurnDriver::on_listener_datagram(std::size_t index, const UdpSocket::Received& received, Now now) {
  const Listener& listener = listeners_[index];
  const MutableBytes datagram = room().first(received.bytes);
  turn::ClientRef client{{received.from, {received.local, listener.port}, turn::Transport::kUdp},
                         index,
                         selector_.by_address(received.local)};
  if (listener.dtls && is_dtls(datagram)) {
    client.five_tuple.transport = turn::Transport::kDtls;
    dtls_->on_datagram(client, datagram, room(), now);
  } else if (listener.plain || is_binding_request(datagram)) {
    perform(server_.on_client_packet({client, datagram, received.traffic_class}, now, reply_), &client);
  } else {
    ++counters_.plain_turn_refused;
  }
}

void TurnDriver::read_relay(std::uint64_t token) {
  const Now now = read_clock();
  for (int i = 0; i < kRelayDatagramsMax; ++i) {
    RelaySockets::Relay* relay = relays_.find(token);
    if (relay == nullptr) return;
    const auto received = relay->socket.receive(room());
    if (!received) return;
    perform(
        server_.on_peer_packet(relay->id, received->from, room().first(received->bytes), now, received->traffic_class),
        nullptr);
  }
}

// A listener asks for no errors, as its clients ask again; if it has one all the same, reading takes it away.
void TurnDriver::on_error(std::uint64_t token) {
  if ((token & RelaySockets::kTokenBit) == 0) return read_listener(static_cast<std::size_t>(token));
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
  }
}

void TurnDriver::perform(const turn::Outcome& outcome, const turn::ClientRef* sender) {
  if (const auto* to_peer = std::get_if<turn::ToPeer>(&outcome)) {
    send_to_peer(*to_peer);
  } else if (const auto* to_client = std::get_if<turn::ToClient>(&outcome)) {
    send_to_client(to_client->client, to_client->bytes, to_client->traffic_class);
  } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
    send_to_client(*sender, reply->bytes, {});
  } else if (const auto* elsewhere = std::get_if<turn::ReplyFrom>(&outcome)) {
    send_from(*elsewhere);
  } else if (const auto* connect = std::get_if<turn::Connect>(&outcome)) {
    tcp_relays_.connect(*connect);
  } else if (const auto* bind = std::get_if<turn::BindStream>(&outcome)) {
    streams_.at(sender->link)->bind(bind->connection, bind->bytes);
  }
}

void TurnDriver::send_from(const turn::ReplyFrom& reply) {
  Listener* listener = find_listener(reply.server);
  const bool sent = listener != nullptr && listener->socket.send(reply.bytes, reply.client, {&reply.server.address});
  if (!sent) ++counters_.send_failures;
}

// An error towards one peer ends nothing: the datagram is lost, as on any network.
void TurnDriver::send_to_peer(const turn::ToPeer& to_peer) {
  RelaySockets::Relay* relay = relays_.find(to_peer.relay);
  const UdpSocket::SendOptions options{nullptr, to_peer.traffic_class, to_peer.dont_fragment};
  if (relay != nullptr && relay->socket.send(to_peer.payload, to_peer.peer, options)) return;
  ++counters_.send_failures;
  const bool too_large = relay != nullptr && to_peer.dont_fragment && errno == EMSGSIZE;
  if (too_large) read_errors(to_peer.relay, &to_peer.peer, read_clock());
}

// Over DTLS and streams the traffic class is not copied: the alternate behaviour of RFC 8656 §14, and §16.
void TurnDriver::send_to_client(const turn::ClientRef& client, Bytes bytes, TrafficClass traffic_class) {
  if (client.five_tuple.transport == turn::Transport::kUdp) return send_datagram(client, bytes, traffic_class);
  if (client.five_tuple.transport == turn::Transport::kDtls) {
    dtls_->send(client, bytes);  // counts what is lost
    return;
  }
  const auto found = streams_.find(client.link);
  if (found == streams_.end()) {
    ++counters_.client_gone;
  } else if (!found->second->send(bytes)) {
    ++counters_.stream_queue_full;
  }
}

void TurnDriver::send_datagram(const turn::ClientRef& client, Bytes datagram, TrafficClass traffic_class) {
  UdpSocket& socket = listeners_[static_cast<std::size_t>(client.link)].socket;
  const turn::FiveTuple& five_tuple = client.five_tuple;
  const UdpSocket::SendOptions options{&five_tuple.server.address, traffic_class};
  if (!socket.send(datagram, five_tuple.client, options)) ++counters_.send_failures;
}

void TurnDriver::on_dtls_message(const turn::ClientRef& client, MutableBytes message, Now now) {
  perform(server_.on_client_packet({client, message}, now, reply_), &client);
}

turn::RealmIndex TurnDriver::realm_of(const turn::ClientRef& client, std::string_view server_name) const {
  return selector_.by_name(server_name, client.five_tuple.server.address);
}

void TurnDriver::on_dtls_end(const turn::ClientRef& client, Now now) {
  server_.on_client_gone(client.five_tuple, now);
}

bool TurnDriver::has_allocation(const turn::FiveTuple& client) const {
  return server_.allocations().find(client) != nullptr;
}

std::optional<turn::ConnectionId> TurnDriver::on_peer_connection(turn::RelayId relay, const Endpoint& from) {
  const auto outcome = server_.on_peer_connection(relay, from, read_clock(), reply_);
  const auto* announce = std::get_if<turn::AnnounceConnection>(&outcome);
  if (announce == nullptr) return std::nullopt;
  send_to_client(announce->client, announce->bytes, {});
  arm_timer();
  return announce->connection;
}

bool TurnDriver::on_connect_result(turn::ConnectionId id, bool established) {
  const auto outcome = server_.on_connect_result(id, established, read_clock(), reply_);
  perform(outcome, nullptr);
  arm_timer();
  return !std::holds_alternative<turn::Drop>(outcome);
}

asio::awaitable<void> TurnDriver::splice(turn::ConnectionId id, Stream& client, std::vector<std::uint8_t> first_bytes) {
  Splice::Observer observer;
  observer.passed = [this, id](bool from_client, std::size_t bytes) {
    return server_.on_connection_data(id, from_client, bytes, read_clock());
  };
  observer.ended = [this, id] { server_.on_connection_ended(id); };
  return tcp_relays_.splice(id, client, std::move(first_bytes), std::move(observer));
}

asio::awaitable<void> TurnDriver::serve(Stream stream, std::vector<std::uint8_t> first_bytes, ConnectionFacts facts) {
  const auto transport = facts.is_tls ? turn::Transport::kTls : turn::Transport::kTcp;
  const turn::RealmIndex realm = selector_.by_name(facts.server_name, facts.local.address);
  const turn::ClientRef client{{facts.remote, facts.local, transport}, ++last_stream_, realm};
  TurnStreamSession session{*this, std::move(stream), client};
  co_await session.run(std::move(first_bytes));
}

void TurnDriver::on_stream_message(TurnStreamSession& session, MutableBytes message, Now now) {
  perform(server_.on_client_packet({session.client(), message}, now, reply_), &session.client());
  on_idle();
}

// An allocation with the same five-tuple belongs to a connection that its client or a proxy in front has lost without
// this end having noticed: it goes, so that nothing of it leaks into the new one.
void TurnDriver::on_stream_begin(TurnStreamSession& session) {
  const turn::FiveTuple& five_tuple = session.client().five_tuple;
  if (const auto* allocation = server_.allocations().find(five_tuple)) {
    const auto older = streams_.find(allocation->client.link);
    if (older != streams_.end()) older->second->close();
    server_.on_client_gone(five_tuple, read_clock());
  }
  streams_.emplace(session.client().link, &session);
}

void TurnDriver::on_stream_end(const TurnStreamSession& session) {
  const turn::ClientRef& client = session.client();
  streams_.erase(client.link);
  const auto* allocation = server_.allocations().find(client.five_tuple);
  if (allocation != nullptr && allocation->client.link == client.link) {
    server_.on_client_gone(client.five_tuple, read_clock());
    notice_drained();
  }
  if (const auto connection = session.bound_to()) {
    tcp_relays_.close_connection(*connection);
    server_.on_connection_ended(*connection);
  }
}

void TurnDriver::arm_timer() {
  auto deadline = server_.next_deadline();
  const auto dtls_deadline = dtls_ ? dtls_->next_deadline() : std::nullopt;
  if (dtls_deadline && (!deadline || *dtls_deadline < *deadline)) deadline = dtls_deadline;
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    armed_for_.reset();
    const Now now = read_clock();
    server_.on_timer(now);
    if (dtls_) dtls_->on_timer(now);
    on_idle();
  });
}

}  // namespace causeway::net
