// SPDX-License-Identifier: Apache-2.0
#include "net/turn_driver.hpp"

#include <cerrno>

#include "net/system_clock.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {
namespace {

// Per readiness: a busy socket does not starve the others, and what is left is reported again.
constexpr int kListenerDatagramsMax = 64;
constexpr int kRelayDatagramsMax = 16;

}  // namespace

TurnDriver::TurnDriver(const asio::any_io_executor& executor, const turn::ServerOptions& options,
                       std::shared_ptr<const turn::Credentials> credentials, const turn::NonceKey& nonce_key,
                       RandomSource& random, turn::Events& events)
    : loop_(executor, *this),
      relays_(loop_),
      server_(options, std::move(credentials), nonce_key, {relays_, random, events}),
      timer_(executor) {}

TurnDriver::~TurnDriver() = default;

Result<Endpoint, error_code> TurnDriver::listen(const Endpoint& local) {
  UdpSocket socket;
  const bool opened = socket.open_listener(local) && loop_.add(socket.descriptor(), listeners_.size());
  if (!opened) return error_code{errno, boost::system::system_category()};
  const Endpoint bound = socket.local_endpoint().value_or(local);
  listeners_.push_back({std::move(socket), bound.port});
  return bound;
}

void TurnDriver::start() {
  loop_.start();
}

void TurnDriver::stop() {
  server_.stop(read_clock());
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
  const MutableBytes room = MutableBytes{packet_}.subspan(turn::Server::kHeadroomBytes, 65536);
  for (int i = 0; i < kListenerDatagramsMax; ++i) {
    const auto received = listeners_[index].socket.receive(room);
    if (!received) return;
    const Endpoint asked{received->local, listeners_[index].port};
    const turn::ClientRef client{{received->from, asked, turn::Transport::kUdp}, index};
    perform(server_.on_client_packet({client, room.first(received->bytes)}, now, reply_), &client);
  }
}

void TurnDriver::read_relay(std::uint64_t token) {
  const Now now = read_clock();
  const MutableBytes room = MutableBytes{packet_}.subspan(turn::Server::kHeadroomBytes, 65536);
  for (int i = 0; i < kRelayDatagramsMax; ++i) {
    RelaySockets::Relay* relay = relays_.find(token);
    if (relay == nullptr) return;
    const auto received = relay->socket.receive(room);
    if (!received) return;
    perform(server_.on_peer_packet(relay->id, received->from, room.first(received->bytes), now), nullptr);
  }
}

void TurnDriver::perform(const turn::Outcome& outcome, const turn::ClientRef* sender) {
  if (const auto* to_peer = std::get_if<turn::ToPeer>(&outcome)) {
    RelaySockets::Relay* relay = relays_.find(to_peer->relay);
    // An error towards one peer ends nothing: the datagram is lost, as on any network.
    if (relay == nullptr || !relay->socket.send(to_peer->payload, to_peer->peer)) ++counters_.send_failures;
  } else if (const auto* to_client = std::get_if<turn::ToClient>(&outcome)) {
    send_to_client(to_client->client, to_client->bytes);
  } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
    send_to_client(*sender, reply->bytes);
  }
}

void TurnDriver::send_to_client(const turn::ClientRef& client, Bytes bytes) {
  const turn::FiveTuple& five_tuple = client.five_tuple;
  if (!turn::is_stream(five_tuple.transport)) {
    UdpSocket& socket = listeners_[static_cast<std::size_t>(client.link)].socket;
    if (!socket.send(bytes, five_tuple.client, &five_tuple.server.address)) ++counters_.send_failures;
    return;
  }
  const auto found = streams_.find(client.link);
  if (found == streams_.end()) {
    ++counters_.client_gone;
  } else if (!found->second->send(bytes)) {
    ++counters_.stream_queue_full;
  }
}

asio::awaitable<void> TurnDriver::serve(Stream stream, std::vector<std::uint8_t> first_bytes, ConnectionFacts facts) {
  const auto transport = facts.is_tls ? turn::Transport::kTls : turn::Transport::kTcp;
  const turn::ClientRef client{{facts.remote, facts.local, transport}, ++last_stream_};
  TurnStreamSession session{*this, std::move(stream), client};
  co_await session.run(std::move(first_bytes));
}

void TurnDriver::on_stream_message(TurnStreamSession& session, MutableBytes message, Now now) {
  perform(server_.on_client_packet({session.client(), message}, now, reply_), &session.client());
  arm_timer();
}

void TurnDriver::on_stream_begin(TurnStreamSession& session) {
  streams_.emplace(session.client().link, &session);
}

void TurnDriver::on_stream_end(const TurnStreamSession& session) {
  streams_.erase(session.client().link);
  server_.on_client_gone(session.client().five_tuple, read_clock());
}

void TurnDriver::arm_timer() {
  const auto deadline = server_.next_deadline();
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    armed_for_.reset();
    server_.on_timer(read_clock());
    arm_timer();
  });
}

}  // namespace causeway::net
