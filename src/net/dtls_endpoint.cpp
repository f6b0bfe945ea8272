// SPDX-License-Identifier: Apache-2.0
#include "net/dtls_endpoint.hpp"

#include <algorithm>

#include "net/dtls_record.hpp"

namespace causeway::net {
namespace {

// OpenSSL reads another clock than we do: what it calls due may need a moment.
constexpr std::chrono::milliseconds kTimerGrain{10};

// With two sessions: data and encrypted alerts are of the former, all of a handshake is of the one that is being made.
bool is_for_established(Bytes datagram) {
  if (datagram[0] == kRecordApplicationData) return true;
  return datagram[0] == kRecordAlert && load_be16(datagram.data() + kRecordEpochAt) != 0;
}

}  // namespace

DtlsEndpoint::DtlsEndpoint(const TlsContext& certificate, RandomSource& random, Owner& owner, const DtlsLimits& limits)
    : context_(std::make_shared<const DtlsContext>(certificate)),
      cookies_(random),
      owner_(owner),
      limits_(limits),
      associations_(0, turn::FiveTupleHash{random.next()}),
      handshakes_(random.next()),
      idle_sessions_(random.next()) {}

void DtlsEndpoint::set_context(std::shared_ptr<const DtlsContext> context) noexcept {
  context_ = std::move(context);
  listening_.reset();
}

void DtlsEndpoint::on_datagram(const turn::ClientRef& client, Bytes datagram, MutableBytes room, Now now) {
  const auto found = associations_.find(client.five_tuple);
  const auto has_random = [&](const std::unique_ptr<DtlsSession>& session, const ClientRandom& random) {
    return session != nullptr && session->client_random() == random;
  };
  if (const auto random = find_client_hello(datagram)) {
    // A copy of the ClientHello that began a handshake begins no other one: OpenSSL knows what to do with it.
    const bool is_copy = found != associations_.end() && (has_random(found->second.handshaking, *random) ||
                                                          has_random(found->second.established, *random));
    if (!is_copy) return on_client_hello(client, *random, datagram, room, now);
  }
  if (found == associations_.end() || datagram.size() < kRecordHeaderBytes) {
    ++counters_.strays;
    return;
  }
  Association& association = found->second;
  const bool use_established = !association.handshaking || (association.established && is_for_established(datagram));
  DtlsSession& session = use_established ? *association.established : *association.handshaking;
  session.receive(datagram);
  read_all(association, session, room, now);
}

void DtlsEndpoint::on_client_hello(const turn::ClientRef& client, const ClientRandom& random, Bytes datagram,
                                   MutableBytes room, Now now) {
  if (!listening_) listening_ = std::make_unique<DtlsSession>(context_, cookies_, owner_);
  if (!listening_->listen(client, random, datagram, now.steady)) {
    ++counters_.cookies_asked;
    return;
  }
  Association& association = associations_[client.five_tuple];
  if (association.handshaking) end_handshake(association);
  association.handshaking = std::move(listening_);
  handshakes_.add(*association.handshaking, client.five_tuple.client.address, 0, 1);
  if (handshakes_.amount() > limits_.handshakes_max) evict_handshake(now);
  read_all(association, *association.handshaking, room, now);
}

// The newcomer is counted already: where its own network holds most, its neighbour's goes, and the network is no larger
// than before. The newcomer itself is never the oldest of the largest holder.
void DtlsEndpoint::evict_handshake(Now now) {
  auto& oldest = static_cast<DtlsSession&>(*handshakes_.oldest_of_largest());
  ++counters_.handshakes_evicted;
  owner_.on_dtls_eviction(DtlsShortage::kHandshakes, oldest.client().five_tuple.client.address, now);
  end(associations_.find(oldest.client().five_tuple)->second, oldest, now);
}

bool DtlsEndpoint::evict_session(Now now) {
  while (FairPool::Item* const item = idle_sessions_.oldest_of_largest()) {
    auto& oldest = static_cast<DtlsSession&>(*item);
    if (owner_.has_allocation(oldest.client().five_tuple)) {
      idle_sessions_.remove(oldest);  // until its deadline finds it without
      continue;
    }
    ++counters_.sessions_evicted;
    owner_.on_dtls_eviction(DtlsShortage::kSessions, oldest.client().five_tuple.client.address, now);
    oldest.close();
    end(associations_.find(oldest.client().five_tuple)->second, oldest, now);
    return true;
  }
  return false;
}

void DtlsEndpoint::read_all(Association& association, DtlsSession& session, MutableBytes room, Now now) {
  for (;;) {
    const std::size_t bytes = session.read(room);
    const bool finished = session.state() == DtlsSession::State::kEstablished;
    if (finished && association.handshaking.get() == &session) finish_handshake(association, now);
    if (bytes == 0 || session.state() == DtlsSession::State::kEnded) break;
    session.last_message_at = now.steady;
    owner_.on_dtls_message(session.client(), room.first(bytes), now);
  }
  if (session.state() == DtlsSession::State::kEnded) {
    end(association, session, now);
  } else if (session.state() == DtlsSession::State::kHandshaking || !session.scheduled()) {
    schedule(session, now);
  }
}

void DtlsEndpoint::finish_handshake(Association& association, Now now) {
  ++counters_.handshakes_finished;
  handshakes_.remove(*association.handshaking);
  if (association.established) {
    ++counters_.sessions_replaced;
    // The client that made the allocation is gone: its successor on this five-tuple begins with none.
    end_session(association, now);
  } else if (sessions_ >= limits_.sessions_max && !evict_session(now)) {
    ++counters_.sessions_refused;
    association.handshaking->close();
  }
  association.established = std::move(association.handshaking);
  ++sessions_;
  DtlsSession& session = *association.established;
  session.set_realm(owner_.realm_of(session.client(), session.server_name()));
  idle_sessions_.add(session, session.client().five_tuple.client.address, 0, 1);
  schedule(session, now);
}

void DtlsEndpoint::end_handshake(Association& association) {
  ++counters_.handshakes_failed;
  handshakes_.remove(*association.handshaking);
  timers_.cancel(*association.handshaking);
  association.handshaking.reset();
}

void DtlsEndpoint::end_session(Association& association, Now now) {
  const turn::ClientRef client = association.established->client();
  timers_.cancel(*association.established);
  idle_sessions_.remove(*association.established);
  association.established.reset();
  --sessions_;
  owner_.on_dtls_end(client, now);
}

void DtlsEndpoint::end(Association& association, DtlsSession& session, Now now) {
  const turn::FiveTuple client = session.client().five_tuple;
  if (association.handshaking.get() == &session) {
    end_handshake(association);
  } else {
    end_session(association, now);
  }
  if (!association.established && !association.handshaking) associations_.erase(client);
}

bool DtlsEndpoint::send(const turn::ClientRef& client, Bytes message) {
  const auto found = associations_.find(client.five_tuple);
  const bool sent =
      found != associations_.end() && found->second.established && found->second.established->write(message);
  if (!sent) ++counters_.send_failures;
  return sent;
}

void DtlsEndpoint::on_timer(Now now) {
  while (DtlsSession* session = timers_.pop_expired(now.steady))
    on_deadline(*session, now);
}

void DtlsEndpoint::on_deadline(DtlsSession& session, Now now) {
  Association& association = associations_.find(session.client().five_tuple)->second;
  if (session.state() == DtlsSession::State::kHandshaking) {
    session.retransmit();
    const bool in_time = now.steady < session.started_at() + kHandshakeDeadline;
    if (session.state() == DtlsSession::State::kEnded || !in_time) return end(association, session, now);
  } else if (owner_.has_allocation(session.client().five_tuple)) {
    session.last_message_at = now.steady;
    idle_sessions_.remove(session);
  } else if (now.steady >= session.last_message_at + kIdleWithoutAllocation) {
    ++counters_.sessions_expired;
    session.close();
    return end(association, session, now);
  } else if (!session.is_pooled()) {
    idle_sessions_.add(session, session.client().five_tuple.client.address, 0, 1);
  }
  schedule(session, now);
}

void DtlsEndpoint::schedule(DtlsSession& session, Now now) {
  if (session.state() == DtlsSession::State::kEstablished) {
    timers_.schedule(session, session.last_message_at + kIdleWithoutAllocation);
    return;
  }
  const TimePoint end_at = session.started_at() + kHandshakeDeadline;
  const auto retransmission_in = session.retransmission_in();
  timers_.schedule(session, retransmission_in
                                ? std::min(end_at, now.steady + std::max<Duration>(*retransmission_in, kTimerGrain))
                                : end_at);
}

void DtlsEndpoint::stop() {
  for (auto& [client, association] : associations_) {
    for (auto* session : {association.established.get(), association.handshaking.get()}) {
      if (session == nullptr) continue;
      timers_.cancel(*session);
      (session == association.handshaking.get() ? handshakes_ : idle_sessions_).remove(*session);
      session->close();
    }
  }
  associations_.clear();
  sessions_ = 0;
}

}  // namespace causeway::net
