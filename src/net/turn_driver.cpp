// SPDX-License-Identifier: Apache-2.0
#include "net/turn_driver.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/system_clock.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {

TurnDriver::TurnDriver(const asio::any_io_executor& executor, const turn::ServerOptions& options,
                       std::vector<turn::RealmOptions> realms, RealmSelector selector, const turn::NonceKey& nonce_key,
                       RandomSource& random, turn::Events& events, const turn::Siblings* siblings)
    : loop_(executor, *this),
      relays_(loop_, sends_),
      tcp_relays_(executor, *this),
      random_(random),
      selector_(std::move(selector)),
      siblings_(siblings),
      server_(options, std::move(realms), nonce_key, {relays_, random, events, &tcp_relays_, siblings}),
      timer_(executor) {}

TurnDriver::~TurnDriver() = default;

void TurnDriver::enable_dtls(const TlsContext& certificate, DtlsEvictionHandler on_eviction) {
  on_dtls_eviction_ = std::move(on_eviction);
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
  const bool is_fellow = siblings_ != nullptr && siblings_->index != 0;
  const bool opened =
      socket.open(local, is_fellow ? UdpSocket::Purpose::kFellowListener : UdpSocket::Purpose::kListener) &&
      (siblings_ == nullptr || socket.share_address()) && loop_.add(socket.descriptor(), listeners_.size());
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

std::size_t TurnDriver::receive_buffer_bytes() const noexcept {
  std::size_t smallest = SIZE_MAX;
  for (const Listener& listener : listeners_)
    smallest = std::min(smallest, listener.socket.receive_buffer_bytes());
  return smallest;
}

void TurnDriver::start() {
  loop_.start();
}

void TurnDriver::set_dtls_context(std::shared_ptr<const DtlsContext> context) noexcept {
  if (dtls_) dtls_->set_context(std::move(context));
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
  flush_streams();
  arm_timer();
  notice_drained();
}

void TurnDriver::stop() {
  stopped_ = true;
  drained_ = nullptr;
  server_.stop(read_clock());
  if (dtls_) dtls_->stop();
  loop_.stop();
  timer_.cancel();
}

void TurnDriver::perform(const turn::Outcome& outcome, const turn::ClientRef* sender) {
  if (const auto* to_peer = std::get_if<turn::ToPeer>(&outcome)) {
    send_to_peer(*to_peer);
  } else if (const auto* to_client = std::get_if<turn::ToClient>(&outcome)) {
    send_to_client(to_client->client, to_client->bytes, to_client->traffic_class);
  } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
    send_reply(*sender, reply->bytes);
  } else if (const auto* elsewhere = std::get_if<turn::ReplyFrom>(&outcome)) {
    send_from(*elsewhere);
  } else if (const auto* connect = std::get_if<turn::Connect>(&outcome)) {
    tcp_relays_.connect(*connect);
  } else if (const auto* bind = std::get_if<turn::BindStream>(&outcome)) {
    streams_.at(sender->link)->bind(bind->connection, bind->bytes);
  } else if (const auto* packet = std::get_if<turn::HandOver>(&outcome)) {
    hand_over(*packet, *sender);
  } else if (const auto* data = std::get_if<turn::ToSibling>(&outcome)) {
    send_to_sibling(*data);
  }
}

// The reply buffer is used again for the next packet.
void TurnDriver::send_reply(const turn::ClientRef& client, Bytes reply) {
  if (client.five_tuple.transport == turn::Transport::kUdp) return send_datagram(client, reply);
  send_to_client(client, reply, {});
}

// Over DTLS and streams the traffic class is not copied: the alternate behaviour of RFC 8656 §14, and §16.
void TurnDriver::send_to_client(const turn::ClientRef& client, Bytes bytes, TrafficClass traffic_class) {
  if (client.five_tuple.transport == turn::Transport::kUdp) {
    UdpSocket& socket = listeners_[static_cast<std::size_t>(client.link)].socket;
    return add({&socket, client.five_tuple.client, source_for(client), traffic_class}, bytes);
  }
  if (client.five_tuple.transport == turn::Transport::kDtls) {
    if (send_to_dtls_session_elsewhere(client, bytes)) return;
    dtls_->send(client, bytes);  // counts what is lost
    return;
  }
  const auto found = streams_.find(client.link);
  if (found == streams_.end()) {
    ++counters_.client_gone;
  } else {
    found->second->send(bytes);
  }
}

void TurnDriver::on_dtls_message(const turn::ClientRef& client, MutableBytes message, Now now) {
  perform(server_.on_client_packet({client, message}, now, reply_), &client);
  flush();
}

turn::RealmIndex TurnDriver::realm_of(const turn::ClientRef& client, std::string_view server_name) const {
  return selector_.by_name(server_name, client.five_tuple.server.address);
}

void TurnDriver::on_dtls_eviction(DtlsShortage shortage, const IpAddress& client, Now now) {
  on_dtls_eviction_(shortage, client, now);
}

void TurnDriver::on_dtls_end(const turn::ClientRef& client, Now now) {
  if (const auto sibling = server_.sibling_of(client.five_tuple, now))
    mail(*sibling, ClientGoneMail{client.five_tuple});
  server_.on_client_gone(client.five_tuple, now);
}

bool TurnDriver::has_allocation(const turn::FiveTuple& client) const {
  return server_.allocations().find(client) != nullptr || server_.is_of_sibling(client);
}

std::optional<turn::ConnectionId> TurnDriver::on_peer_connection(turn::RelayId relay, const Endpoint& from) {
  const auto outcome = server_.on_peer_connection(relay, from, read_clock(), reply_);
  const auto* announce = std::get_if<turn::AnnounceConnection>(&outcome);
  if (announce == nullptr) return std::nullopt;
  send_to_client(announce->client, announce->bytes, {});
  flush();
  on_idle();
  return announce->connection;
}

bool TurnDriver::on_connect_result(turn::ConnectionId id, bool established) {
  const auto outcome = server_.on_connect_result(id, established, read_clock(), reply_);
  perform(outcome, nullptr);
  flush();
  on_idle();
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
  std::optional<TurnStreamSession::Departure> departure;
  {
    TurnStreamSession session{*this, std::move(stream), client, facts.place, facts.accepted_at};
    co_await session.run(std::move(first_bytes));
    departure = session.departure();
  }
  if (!departure) co_return;
  co_await workers_[departure->to]->serve_from_elsewhere(std::move(departure->stream), std::move(departure->bytes),
                                                         facts);
}

void TurnDriver::flush_streams() noexcept {
  for (TurnStreamSession* session : unsent_streams_)
    session->flush();
  unsent_streams_.clear();
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
  unsent_streams_.erase(std::remove(unsent_streams_.begin(), unsent_streams_.end(), &session), unsent_streams_.end());
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
