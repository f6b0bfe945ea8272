// SPDX-License-Identifier: Apache-2.0
#include "server_host.hpp"

#include <algorithm>

namespace causeway::simulation {

namespace {

constexpr std::size_t kDatagramBytesMax = 65507;

// Exactly what the server may touch, so that a sanitizer sees each octet beyond.
class PacketBuffer {
 public:
  explicit PacketBuffer(Bytes bytes)
      : octets_(turn::Server::kHeadroomBytes + bytes.size() + turn::Server::kTailroomBytes), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), octets_.begin() + turn::Server::kHeadroomBytes);
  }
  MutableBytes bytes() { return MutableBytes{octets_}.subspan(turn::Server::kHeadroomBytes, size_); }

 private:
  Octets octets_;
  std::size_t size_;
};

turn::Transport transport_of(std::uint16_t port, bool stream) {
  if (stream) return port == kTlsPort ? turn::Transport::kTls : turn::Transport::kTcp;
  return port == kTlsPort ? turn::Transport::kDtls : turn::Transport::kUdp;
}

turn::RealmOptions realm_of(const Rules& rules, const ServerHost::Setup& setup) {
  return {std::make_shared<turn::Credentials>(rules.realm, rules.users, std::vector{rules.shared_secret}),
          setup.realm_limits};
}

}  // namespace

ServerHost::ServerHost(EventQueue& queue, Network& network, Random& random, const Rules& rules, const Setup& setup,
                       std::ostream* trace)
    : queue_(queue),
      network_(network),
      random_(random),
      setup_(setup),
      model_(rules),
      trace_(trace),
      server_random_(random.draw()),
      server_(setup.options, {realm_of(rules, setup)}, turn::NonceKey{1, 2, 3}, {*this, server_random_, *this}) {
  for (const IpAddress& address : setup.addresses) {
    network.open_host(
        address, [this](const Endpoint& from, const Endpoint& to, Bytes bytes) { receive(from, to, bytes); },
        [this](const std::shared_ptr<Stream>& stream) { accept(stream); });
  }
}

Endpoint ServerHost::advertised(const Endpoint& local) const {
  const auto found = setup_.advertised.find(local.address);
  return {found == setup_.advertised.end() ? local.address : found->second, local.port};
}

void ServerHost::note(const char* what, const Endpoint& from, const Endpoint& to, Bytes bytes) const {
  if (trace_ == nullptr) return;
  *trace_ << std::chrono::duration<double>(queue_.time().time_since_epoch()).count() << "  " << what << "  "
          << from.to_string() << " > " << to.to_string() << "  " << bytes.size() << " bytes, "
          << (bytes.size() < 2 ? 0 : load_be16(bytes.data())) << '\n';
}

void ServerHost::receive(const Endpoint& from, const Endpoint& to, Bytes bytes) {
  PacketBuffer packet{bytes};
  if (to.port == kServerPort || to.port == kTlsPort) {
    return from_client({{from, to, transport_of(to.port, false)}, 0}, packet.bytes());
  }
  const auto relay = relays_.find(to);
  if (relay != relays_.end()) from_peer(relay->second, to, from, packet.bytes());
}

void ServerHost::accept(const std::shared_ptr<Stream>& stream) {
  const std::uint64_t link = next_link_++;
  const turn::FiveTuple five_tuple{stream->client(), stream->server(), transport_of(stream->server().port, true)};
  connections_.emplace(link, Connection{link, five_tuple, stream, {}});
  const auto on_bytes = [this, link](Bytes bytes) {
    const auto found = connections_.find(link);
    if (found != connections_.end()) read(found->second, bytes);
  };
  stream->listen(Stream::kServer, {on_bytes, [this, link] { hang_up(link, true); }});
}

void ServerHost::read(Connection& connection, Bytes bytes) {
  while (!bytes.empty()) {
    const MutableBytes room = connection.framer.prepare();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    connection.framer.commit(size);
    bytes = bytes.subspan(size);
    for (;;) {
      const auto frame = connection.framer.next();
      if (!frame) return hang_up(connection.link, false);
      if (!*frame) break;
      from_client({connection.five_tuple, connection.link}, **frame);
    }
  }
}

void ServerHost::hang_up(std::uint64_t link, bool by_client) {
  const auto found = connections_.find(link);
  if (found == connections_.end()) return;
  fire_timer();
  const turn::FiveTuple five_tuple = found->second.five_tuple;
  if (!by_client) found->second.stream->close(Stream::kServer);
  connections_.erase(found);
  server_.on_client_gone(five_tuple, queue_.now());
  model_.on_client_gone(five_tuple);
  settle();
}

void ServerHost::from_client(const turn::ClientRef& client, MutableBytes bytes) {
  fire_timer();
  note("from client", client.five_tuple.client, client.five_tuple.server, bytes);
  const Octets before{bytes.begin(), bytes.end()};
  turn::ReplyBuffer reply{};
  const turn::Outcome outcome = server_.on_client_packet({client, bytes}, queue_.now(), reply);
  model_.on_client_packet(client, before, outcome, queue_.now());
  perform(client, outcome);
  settle();
}

void ServerHost::from_peer(turn::RelayId relay, const Endpoint& relayed, const Endpoint& peer, MutableBytes payload) {
  fire_timer();
  note("from peer", peer, relayed, payload);
  const Octets before{payload.begin(), payload.end()};
  const turn::Outcome outcome = server_.on_peer_packet(relay, peer, payload, queue_.now());
  model_.on_peer_packet(relayed, peer, before, outcome, queue_.now());
  perform({}, outcome);
  settle();
}

void ServerHost::perform(const turn::ClientRef& from, const turn::Outcome& outcome) {
  if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
    to_client(from, reply->bytes);
  } else if (const auto* data = std::get_if<turn::ToClient>(&outcome)) {
    to_client(data->client, data->bytes);
  } else if (const auto* out = std::get_if<turn::ToPeer>(&outcome)) {
    const auto is_it = [out](const auto& entry) { return entry.second == out->relay; };
    const Endpoint relayed = std::find_if(relays_.begin(), relays_.end(), is_it)->first;
    note("to peer", relayed, out->peer, out->payload);
    require(out->payload.size() <= kDatagramBytesMax, "more was sent to a peer than fits into a datagram");
    network_.send(relayed, out->peer, {out->payload.begin(), out->payload.end()});
  }
}

void ServerHost::to_client(const turn::ClientRef& client, Bytes bytes) {
  const turn::FiveTuple& five_tuple = client.five_tuple;
  note("to client", five_tuple.server, five_tuple.client, bytes);
  if (!turn::is_stream(five_tuple.transport)) {
    return network_.send(five_tuple.server, five_tuple.client, {bytes.begin(), bytes.end()});
  }
  const auto connection = connections_.find(client.link);
  require(connection != connections_.end(), "something was sent on a connection that is closed");
  Octets padded{bytes.begin(), bytes.end()};
  padded.resize((padded.size() + 3) / 4 * 4);  // RFC 8656 §12.5
  connection->second.stream->write(Stream::kServer, padded);
}

void ServerHost::fire_timer() {
  const auto deadline = server_.next_deadline();
  if (deadline && *deadline <= queue_.time()) server_.on_timer(queue_.now());
}

// After each event: the next timer, and the model's look at the whole.
void ServerHost::settle() {
  if (violation_) std::rethrow_exception(violation_);
  model_.check(server_, queue_.now());
  const auto deadline = server_.next_deadline();
  require(!deadline || *deadline != TimePoint::max(), "a timer stands at the end of time");
  if (!deadline || *deadline >= armed_for_) return;
  armed_for_ = *deadline;
  queue_.at(armed_for_, [this, armed = armed_for_] {
    if (armed != armed_for_) return;  // an earlier one took its place
    armed_for_ = TimePoint::max();
    fire_timer();
    settle();
  });
}

std::optional<turn::RelayOpenError> ServerHost::open(turn::RelayId id, const Endpoint& local) {
  if (random_.chance(setup_.open_failures)) {
    model_.on_open_failed();
    return random_.chance(0.5) ? turn::RelayOpenError::kPortInUse : turn::RelayOpenError::kNoResources;
  }
  const Endpoint relayed = advertised(local);
  model_.on_opened(id, relayed);
  relays_.insert_or_assign(relayed, id);
  return std::nullopt;
}

void ServerHost::close(turn::RelayId id) noexcept {
  std::erase_if(relays_, [id](const auto& entry) { return entry.second == id; });
  try {
    model_.on_closed(id);
  } catch (const Violation&) {
    violation_ = std::current_exception();
  }
}

void ServerHost::on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now now) {
  ++ended_;
  model_.on_ended(allocation.client.five_tuple, reason, now);
}

void ServerHost::stop() {
  server_.stop(queue_.now());
  if (violation_) std::rethrow_exception(violation_);
  require(server_.allocations().size() == 0, "a stopped server has allocations");
  require(relays_.empty(), "a stopped server has relay sockets");
  require(!server_.next_deadline(), "a stopped server has a timer");
  require(created_ == ended_, "not each allocation that began has ended");
}

}  // namespace causeway::simulation
