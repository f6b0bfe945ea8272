// SPDX-License-Identifier: Apache-2.0
#include "turn_client.hpp"

#include <algorithm>

#include "payload.hpp"
#include "server_host.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;

TurnClient::TurnClient(World& world, std::uint32_t number, const Habits& habits)
    : Party(number), world_(world), habits_(habits) {
  world.queue.after(world.random.between(0s, 60s), [this] { begin(); });
}

std::optional<Endpoint> TurnClient::candidate(AddressFamily family) const {
  return session_ ? session_->relayed(family) : std::nullopt;
}

SessionOptions TurnClient::session_options() {
  Random& random = world_.random;
  SessionOptions options;
  options.inside = {habits_.inside, next_port_++};
  const bool secured = habits_.transport == turn::Transport::kTls || habits_.transport == turn::Transport::kDtls;
  options.server = {world_.server.at(habits_.inside.family()), secured ? kTlsPort : kServerPort};
  options.transport = habits_.transport;
  if (const auto known = world_.rules.users.find(habits_.user); known != world_.rules.users.end()) {
    options.username = habits_.user;
    options.password = known->second;
  } else {
    const WallTime expiry = world_.queue.now().wall + std::chrono::seconds{random.between(600, 7200)};
    const auto credential = turn::make_time_limited_credential(world_.rules.shared_secret, habits_.user, expiry);
    options.username = credential.username;
    options.password = credential.password;
  }
  options.sha256 = habits_.sha256;
  options.relay_family = habits_.relay_family;
  options.dual = habits_.dual;
  options.mobility = habits_.mobility;
  if (random.chance(0.3)) options.lifetime = random.between(60, 4000);
  options.channels = habits_.channels;
  options.even_port = habits_.even_ports && random.chance(0.5);
  options.reserve_next = options.even_port && !options.dual && random.chance(0.7);
  options.keepalive = habits_.keepalive;
  // Somebody with the same credential has a port reserved for this one.
  const auto theirs = std::find_if(world_.reservations.begin(), world_.reservations.end(),
                                   [&options](const auto& entry) { return entry.first == options.username; });
  if (theirs != world_.reservations.end()) {
    options.reservation_token = theirs->second;
    world_.reservations.erase(theirs);
  }
  return options;
}

void TurnClient::begin() {
  if (world_.ending || session_) return;
  ++world_.statistics.sessions;
  TurnSession::Owner owner;
  owner.on_allocated = [this] { on_allocated(); };
  owner.on_data = [this](const Endpoint& from, Bytes payload) { on_data(from, payload); };
  owner.on_ended = [this](TurnSession::End end) {
    const bool refused = end == TurnSession::End::kRefused;
    begin_again(refused ? world_.random.between(30s, 5min) : world_.random.between(1s, 30s));
  };
  owner.next_socket = [this] { return Endpoint{habits_.inside, next_port_++}; };
  session_ = std::make_shared<TurnSession>(world_, session_options(), std::move(owner));
  session_->begin();
}

void TurnClient::begin_again(Duration after) {
  session_.reset();
  calls_.clear();
  world_.queue.after(after, [this] { begin(); });
}

void TurnClient::on_allocated() {
  if (session_->reservation() && world_.random.chance(0.8)) {
    const auto known = world_.rules.users.find(habits_.user);
    if (known != world_.rules.users.end()) world_.reservations.emplace_back(habits_.user, *session_->reservation());
  }
  world_.queue.after(world_.random.between(300s, 3h), [this, session = std::weak_ptr{session_}] {
    if (!session.lock() || session.lock() != session_) return;
    world_.random.chance(0.7) ? hang_up() : crash();
  });
  if (habits_.dual) {
    world_.queue.after(world_.random.between(1min, 4h), [session = std::weak_ptr{session_}] {
      if (const auto mine = session.lock()) mine->release_half();
    });
  }
  if (habits_.mobility) move_now_and_then(session_);
  call_somebody();
  misbehave_now_and_then(session_);
}

// From one access network to another.
void TurnClient::move_now_and_then(const std::weak_ptr<TurnSession>& session) {
  world_.queue.after(world_.random.between(2min, 40min), [this, session] {
    const auto mine = session.lock();
    if (!mine || mine != session_) return;
    mine->move();
    move_now_and_then(session);
  });
}

void TurnClient::hang_up() {
  if (!session_) return;
  session_->close();
  begin_again(world_.random.between(1s, 300s));
}

void TurnClient::crash() {
  if (!session_) return;
  ++world_.statistics.crashes;
  if (world_.random.chance(0.5)) session_->cut();
  begin_again(world_.random.between(1s, 120s));
}

void TurnClient::lose_path() {
  if (session_) session_->cut();
}

void TurnClient::call_somebody() {
  const std::weak_ptr session = session_;
  world_.queue.after(world_.random.between(5s, 150s), [this, session] {
    if (session.lock() && session.lock() == session_) call_somebody();
  });
  Party& other = *world_.random.one_of(world_.parties);
  const auto family = world_.random.chance(0.5) ? AddressFamily::kIPv4 : AddressFamily::kIPv6;
  const auto relayed = session_->relayed(family);
  const auto remote = other.candidate(family);
  if (&other == this || !relayed || !remote || calls_.size() >= 3) return;
  ++world_.statistics.calls;
  const TimePoint until = world_.queue.time() + world_.random.between(30s, 15min);
  const auto call = std::make_shared<Call>(Call{*remote, other.owns_candidate() ? other.number() : 0, until});
  calls_.push_back(call);
  session_->permit(*remote, until);
  talk(call, session_);
  world_.queue.after(world_.random.between(50ms, 500ms),
                     [&other, from = *relayed, until] { other.invite(from, until); });
}

void TurnClient::invite(const Endpoint& from, TimePoint until) {
  if (!session_ || !session_->relayed(from.address.family()) || calls_.size() >= 3) return;
  const auto call = std::make_shared<Call>(Call{from, 0, until});
  calls_.push_back(call);
  session_->permit(from, until);
  talk(call, session_);
}

// Bursts of packets with pauses between them.
void TurnClient::talk(const std::shared_ptr<Call>& call, const std::weak_ptr<TurnSession>& session) {
  const auto mine = session.lock();
  if (!mine || mine != session_) return;
  // Some go on a little after their permission was let go.
  if (call->until + 30s < world_.queue.time()) {
    std::erase(calls_, call);
    return;
  }
  const std::uint32_t packets = world_.random.between(1, 4);
  for (std::uint32_t i = 0; i < packets; ++i) {
    const std::size_t size = world_.random.chance(0.05) ? 1200 : world_.random.between(kPayloadBytesMin, 160);
    world_.queue.after(20ms * i,
                       [session, call, payload = write_payload({call->addressee, world_.next_serial++}, size)] {
                         if (const auto alive = session.lock()) alive->send(call->remote, payload);
                       });
  }
  world_.queue.after(world_.random.between(habits_.pause_between_bursts / 2, habits_.pause_between_bursts),
                     [this, call, session] { talk(call, session); });
}

void TurnClient::on_data(const Endpoint& from, Bytes payload) {
  require(read_payload(payload).has_value(), "a client got data that nobody sent");
  ++world_.statistics.data_at_clients;
  // A symmetric NAT on the other side shows another port than signaling told.
  for (const auto& call : calls_)
    if (call->remote.address == from.address && call->addressee != 0) call->remote = from;
}

void TurnClient::misbehave_now_and_then(const std::weak_ptr<TurnSession>& session) {
  world_.queue.after(world_.random.between(1min, 20min), [this, session] {
    const auto mine = session.lock();
    if (!mine || mine != session_) return;
    mine->misbehave();
    misbehave_now_and_then(session);
  });
}

}  // namespace causeway::simulation
