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
      handshakes_by_address_(0, IpAddressHash{random.next()}) {}

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
  if (!has_room_for(client.five_tuple)) {
    ++counters_.handshakes_refused;
    return;
  }
  if (!listening_) listening_ = std::make_unique<DtlsSession>(context_, cookies_, owner_);
  if (!listening_->listen(client, random, datagram, now.steady)) {
    ++counters_.cookies_asked;
    return;
  }
  Association& association = associations_[client.five_tuple];
  if (association.handshaking) end_handshake(association);
  association.handshaking = std::move(listening_);
  ++handshakes_;
  ++handshakes_by_address_[subscriber_network(client.five_tuple.client.address)];
  read_all(association, *association.handshaking, room, now);
}

bool DtlsEndpoint::has_room_for(const turn::FiveTuple& client) const {
  if (handshakes_ >= limits_.handshakes_max) return false;
  const auto of_address = handshakes_by_address_.find(subscriber_network(client.client.address));
  if (of_address != handshakes_by_address_.end() && of_address->second >= limits_.handshakes_per_address_max) {
    return false;
  }
  return associations_.size() < limits_.sessions_max || associations_.contains(client);
}

void DtlsEndpoint::read_all(Association& association, DtlsSession& session, MutableBytes room, Now now) {
  for (;;) {
    const std::size_t bytes = session.read(room);
    const bool finished = session.state() == DtlsSession::State::kEstablished;
    if (finished && association.handshaking.get() == &session) finish_handshake(association, now);
    if (bytes == 0) break;
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
  forget_handshake(association.handshaking->client().five_tuple.client.address);
  if (association.established) {
    ++counters_.sessions_replaced;
    timers_.cancel(*association.established);
    // The client that made the allocation is gone: its successor on this five-tuple begins with none.
    owner_.on_dtls_end(association.established->client(), now);
  }
  association.established = std::move(association.handshaking);
  DtlsSession& session = *association.established;
  session.set_realm(owner_.realm_of(session.client(), session.server_name()));
  schedule(*association.established, now);
}

void DtlsEndpoint::end_handshake(Association& association) {
  ++counters_.handshakes_failed;
  forget_handshake(association.handshaking->client().five_tuple.client.address);
  timers_.cancel(*association.handshaking);
  association.handshaking.reset();
}

void DtlsEndpoint::forget_handshake(const IpAddress& address) {
  --handshakes_;
  const auto of_address = handshakes_by_address_.find(subscriber_network(address));
  if (--of_address->second == 0) handshakes_by_address_.erase(of_address);
}

void DtlsEndpoint::end(Association& association, DtlsSession& session, Now now) {
  const turn::ClientRef client = session.client();
  if (association.handshaking.get() == &session) {
    end_handshake(association);
  } else {
    timers_.cancel(session);
    association.established.reset();
    owner_.on_dtls_end(client, now);
  }
  if (!association.established && !association.handshaking) associations_.erase(client.five_tuple);
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
  } else if (now.steady >= session.last_message_at + kIdleWithoutAllocation) {
    ++counters_.sessions_expired;
    session.close();
    return end(association, session, now);
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
      session->close();
    }
  }
  associations_.clear();
  handshakes_by_address_.clear();
  handshakes_ = 0;
}

}  // namespace causeway::net
