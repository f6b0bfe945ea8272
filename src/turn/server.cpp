// SPDX-License-Identifier: Apache-2.0
// Requests: parsing, authentication, dispatch, and the one place where errors become bytes.
#include "causeway/turn/server.hpp"

#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/unknown_attributes.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

namespace {

bool is_turn_request(Method method) noexcept {
  return method == Method::kAllocate || method == Method::kRefresh || method == Method::kCreatePermission ||
         method == Method::kChannelBind || method == Method::kConnect || method == Method::kConnectionBind;
}

}  // namespace

Server::Server(const ServerOptions& options, std::vector<RealmOptions> realms, const NonceKey& nonce_key,
               ServerEnvironment environment)
    : options_(options),
      environment_(environment),
      policy_(options.peers),
      addresses_(options.relay_addresses),
      discovery_(options.nat_discovery),
      own_ports_(options.relay_port_min, options.relay_port_max),
      ports_(environment.siblings != nullptr ? environment.siblings->ports : own_ports_),
      hash_seed_(environment.random.next()),
      transaction_seed_(environment.random.next()),
      quota_(realms.size(), hash_seed_, environment.siblings != nullptr ? &environment.siblings->allocations : nullptr),
      connection_quota_(realms.size(), hash_seed_,
                        environment.siblings != nullptr ? &environment.siblings->connections : nullptr),
      answers_(options.limits.unauthenticated_answers_per_second_max, hash_seed_),
      stream_turns_(options.limits.unauthenticated_answers_per_second_max, hash_seed_),
      allocations_(hash_seed_, index()),
      connections_(index()),
      foreign_clients_(hash_seed_) {
  for (RealmOptions& realm : realms) {
    NonceSource nonces{nonce_key, options.nonce_lifetime};
    realms_.push_back({Authenticator{std::move(realm.credentials), std::move(nonces)}, realm.limits});
  }
  if (options.mobility && environment.siblings != nullptr) tickets_.emplace(environment.siblings->ticket_key);
  if (options.mobility && environment.siblings == nullptr) tickets_.emplace(environment.random);
  reserve_tables();
}

// No rehash of a large table while calls run.
void Server::reserve_tables() {
  const std::size_t ports = std::size_t{options_.relay_port_max} - options_.relay_port_min + 1;
  const std::size_t total_max = options_.limits.allocations_total_max;
  const std::size_t allocations = total_max != 0 ? std::min(total_max, ports) : ports;
  allocations_.reserve(allocations, 2 * allocations, options_.mobility);
}

Server::~Server() = default;

Outcome Server::drop(DropReason reason) noexcept {
  ++counters_.drops[static_cast<std::size_t>(reason)];
  return Drop{reason};
}

Outcome Server::on_client_packet(const ClientPacket& packet, Now now, ReplyBuffer& reply) {
  if (packet.bytes.empty()) return drop(DropReason::kNeitherStunNorChannelData);
  if (const auto sibling = foreign_clients_.find(packet.client.five_tuple, now.steady))
    return hand_over(packet, *sibling);
  switch (stun::classify_first_octet(packet.bytes.front())) {
    case stun::FirstOctet::kChannelData:
      return on_channel_data(packet, now);
    case stun::FirstOctet::kStun:
      break;
    default:
      return drop(DropReason::kNeitherStunNorChannelData);
  }
  const auto message = MessageView::parse(packet.bytes);
  if (!message && message.error() == stun::ParseError::kBadCookie) return on_classic_stun(packet, reply);
  if (!message) return drop(DropReason::kMalformedStun);
  if (check_fingerprint(*message) == stun::Fingerprint::kInvalid) return drop(DropReason::kBadFingerprint);
  switch (message->message_class()) {
    case MessageClass::kRequest:
      return on_request(packet, *message, now, reply);
    case MessageClass::kIndication:
      return on_indication(packet, *message, now);
    default:
      return drop(DropReason::kResponse);
  }
}

// RFC 8489 §11: a request of RFC 3489, which knew no magic cookie but had a transaction ID in its place, fails over
// DTLS. Deviation: elsewhere it gets no answer, where RFC 8489 §12 would have Binding served. Without the cookie it
// cannot be told from any 20 octets that begin with a zero, and who sends one is hardly a client of today.
Outcome Server::on_classic_stun(const ClientPacket& packet, ReplyBuffer& reply) noexcept {
  constexpr std::uint16_t kErrorClass = stun::message_type(Method{0}, MessageClass::kErrorResponse);
  const std::uint16_t type = load_be16(packet.bytes.data());
  const bool is_request = (type & kErrorClass) == 0;
  if (!is_request || packet.client.five_tuple.transport != Transport::kDtls) return drop(DropReason::kMalformedStun);
  if (refuses_binding(packet)) return drop(DropReason::kBindingOfStranger);
  ++counters_.errors_by_code[static_cast<std::size_t>(ErrorCode::kServerError)];
  MessageBuilder response{reply, Method{0}, MessageClass::kErrorResponse, {}};
  response.add_error_code(ErrorCode::kServerError);
  store_be16(reply.data(), type | kErrorClass);
  std::copy_n(packet.bytes.begin() + 4, 16, reply.begin() + 4);
  return Reply{response.finish()};
}

Outcome Server::on_indication(const ClientPacket& packet, const MessageView& message, Now now) noexcept {
  if (message.method() == Method::kSend) return on_send(packet, message, now);
  if (message.method() == Method::kBinding) return drop(DropReason::kBindingIndication);
  return drop(DropReason::kUnexpectedIndication);
}

// Deviation: no response has a SOFTWARE attribute (RFC 8489 §6.3.1.1, RFC 8656 §5): it would tell strangers which
// faults to look for (RFC 8489 §16.1.2) and make each answer longer.
Outcome Server::on_request(const ClientPacket& packet, const MessageView& message, Now now, ReplyBuffer& reply) {
  const Method method = message.method();
  if (method == Method::kBinding) return on_binding(packet, message, now, reply);
  if (!is_turn_request(method)) return drop(DropReason::kUnknownMethod);  // RFC 8489 §6.3
  ++counters_.requests_by_method[static_cast<std::size_t>(method)];

  const auto identity = realms_[packet.client.realm].authenticator.authenticate(message, packet.client.five_tuple, now);
  if (!identity) {
    if (!may_answer_stranger(packet, now)) return drop(DropReason::kAnswerBudget);
    return Reply{write_error(packet, message, identity.error(), nullptr, now, reply)};
  }
  on_timer(now);  // no check may see what is over, however late the timer fires
  const Request request{packet, message, *identity, now};
  if (const auto sibling = sibling_for(request)) {
    const FiveTuple& client = packet.client.five_tuple;
    if (!is_stream(client.transport)) foreign_clients_.add(client, *sibling, now.steady);
    return hand_over(packet, *sibling);
  }
  // RFC 8489 §6.3.1: unknown attributes are looked for after authentication.
  auto failure = check_unknown_attributes(message, is_understood);
  if (!failure && method == Method::kConnect) return on_connect(request, reply);
  if (!failure && method == Method::kConnectionBind) return on_connection_bind(request, reply);
  MessageBuilder success{reply, method, MessageClass::kSuccessResponse, message.transaction_id()};
  if (!failure) failure = dispatch(request, success);
  if (failure) return Reply{write_error(packet, message, *failure, &*identity, now, reply)};
  return Reply{finish_success(request, success)};
}

Bytes Server::finish_success(const Request& request, MessageBuilder& reply) {
  Authenticator::add_integrity(reply, request.identity);
  if (request.message.has(AttributeType::kFingerprint)) reply.add_fingerprint();
  return reply.finish();
}

// A stream's handshake and an allocation are proofs of address.
bool Server::may_answer_stranger(const ClientPacket& packet, Now now) noexcept {
  const FiveTuple& five_tuple = packet.client.five_tuple;
  if (is_stream(five_tuple.transport) || allocations_.find(five_tuple) != nullptr) return true;
  return answers_.take(five_tuple.client.address, now.steady);
}

Server::Failure Server::dispatch(const Request& request, MessageBuilder& reply) {
  switch (request.message.method()) {
    case Method::kAllocate:
      return on_allocate(request, reply);
    case Method::kRefresh:
      return on_refresh(request, reply);
    case Method::kCreatePermission:
      return on_create_permission(request);
    default:
      return on_channel_bind(request);
  }
}

Bytes Server::write_error(const ClientPacket& packet, const MessageView& message, const StunError& error,
                          const Identity* identity, Now now, ReplyBuffer& reply) {
  MessageBuilder response{reply, message.method(), MessageClass::kErrorResponse, message.transaction_id()};
  response.add_error_code(error.code);
  if (error.code == ErrorCode::kUnauthenticated || error.code == ErrorCode::kStaleNonce) {
    realm_of(packet).authenticator.add_challenge(response, message, packet.client.five_tuple, now);
  }
  if (error.code == ErrorCode::kUnknownAttribute) {
    std::array<std::uint8_t, 32> types{};
    std::size_t used = 0;
    for (const std::uint16_t type : error.unknown_attributes) {
      store_be16(types.data() + used, type);
      used += 2;
    }
    response.add(AttributeType::kUnknownAttributes, Bytes{types}.first(used));
  }
  if (error.code == ErrorCode::kTryAlternate) {
    add_alternate_server(response, packet.client.five_tuple, *identity);  // RFC 8489 §14.8: to none but users
  }
  if (identity != nullptr) Authenticator::add_integrity(response, *identity);
  if (message.has(AttributeType::kFingerprint)) response.add_fingerprint();

  const auto username = message.value(AttributeType::kUsername);
  note_refusal(packet.client.five_tuple, message.method(), error.code, username ? as_text(*username) : "");
  return response.finish();
}

void Server::note_refusal(const FiveTuple& client, Method method, ErrorCode code, std::string_view username) {
  ++counters_.errors_by_code[static_cast<std::size_t>(code)];
  // The first, empty-handed request of every client is refused by design and no news to anybody.
  if (!username.empty()) environment_.events.on_request_refused(client, method, code, username);
}

std::optional<TimePoint> Server::next_deadline() const noexcept {
  std::optional<TimePoint> first = allocations_.timers().next_deadline();
  for (const auto& other : {reservations_.next_deadline(), connections_.next_deadline()}) {
    if (!first || (other && *other < *first)) first = other;
  }
  return first;
}

void Server::on_timer(Now now) {
  while (const auto reservation = reservations_.take_expired(now.steady))
    release(*reservation);
  while (const DataConnection* connection = connections_.pop_expired(now.steady))
    end(*connection);
  while (Allocation* allocation = allocations_.timers().pop_expired(now.steady)) {
    if (allocation->credential_ends_at <= now.steady) {
      end(*allocation, EndReason::kCredentialExpired, now);
      continue;
    }
    if (allocation->expires_at() <= now.steady) {
      end(*allocation, EndReason::kExpired, now);
      continue;
    }
    // At least one relay is left, so at most one of the two has expired.
    if (allocation->relays.front().expires_at <= now.steady) give_up(*allocation, allocation->relays.front(), now);
    if (allocation->relays.back().expires_at <= now.steady) give_up(*allocation, allocation->relays.back(), now);
    TimePoint next = std::min(allocation->relays.front().expires_at, allocation->relays.back().expires_at);
    if (const auto deadline = allocation->permissions.expire(now.steady)) next = std::min(next, *deadline);
    if (const auto deadline = allocation->channels.expire(now.steady)) next = std::min(next, *deadline);
    allocations_.wake_at(*allocation, next);
  }
}

void Server::stop(Now now) {
  while (const auto reservation = reservations_.take_any())
    release(*reservation);
  allocations_.for_each([&](Allocation& allocation) { end(allocation, EndReason::kServerStopped, now); });
}

void Server::end(Allocation& allocation, EndReason reason, Now now) {
  const std::unique_ptr<Allocation> ended = allocations_.remove(allocation);
  for (const Relay& relay : ended->relays)
    close(relay);
  environment_.events.on_allocation_ended(*ended, reason, now);
}

// RFC 8656 §8.1: with one of two relays go the permissions and channels of its family, and no others.
void Server::give_up(Allocation& allocation, const Relay& relay, Now now) {
  const Relay gone = relay;
  allocations_.remove_relay(allocation, relay);
  const AddressFamily family = gone.local.address.family();
  allocation.permissions.remove_if([family](const IpAddress& peer, auto&) { return peer.family() == family; });
  allocation.channels.end(family, now.steady);
  allocations_.wake_at(allocation, now.steady + ChannelTable::kCoolDown);
  close(gone);
}

void Server::close(const Relay& relay) noexcept {
  if (environment_.siblings != nullptr) environment_.siblings->relays.remove(relay);
  ports_of(relay.transport).close(relay.id);
  // RFC 6062 §5.5: the data connections end with their allocation.
  while (const DataConnection* connection = connections_.any_of(relay.id))
    close(*connection);
  ports_.release(relay.relayed_address);
}

void Server::release(const Reservation& reservation) noexcept {
  close(reservation.relay);
  allocations_.give_back(reservation.relay.id);
}

const char* name_of(EndReason reason) noexcept {
  switch (reason) {
    case EndReason::kReleased:
      return "released by the client";
    case EndReason::kExpired:
      return "not refreshed";
    case EndReason::kCredentialExpired:
      return "credential expired";
    case EndReason::kCredentialRevoked:
      return "credential revoked";
    case EndReason::kClientGone:
      return "connection closed";
    case EndReason::kServerStopped:
      return "server stopped";
  }
  return "";
}

}  // namespace causeway::turn
