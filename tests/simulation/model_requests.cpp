// SPDX-License-Identifier: Apache-2.0
// Requests: each answer must be the one that the rules foretell, and only to whoever asked.
#include <algorithm>
#include <charconv>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "model.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;
using stun::AttributeType;
using stun::MessageClass;
using stun::Method;

namespace {

constexpr double kBurstSeconds = 5;  // of answers to strangers
constexpr std::size_t kUdpBytes = 8, kIpv4Bytes = 20, kIpv6Bytes = 40;

int error_of(const stun::MessageView& reply) {
  if (reply.message_class() == MessageClass::kSuccessResponse) return 0;
  const auto code = reply.value(AttributeType::kErrorCode);
  require(code.has_value(), "an error response has no ERROR-CODE");
  return stun::read_error_code(*code).value_or(-1);
}

std::string said(int error) {
  return error == 0 ? "a success" : "error " + std::to_string(error);
}

void expect_error(int error, int expected, const std::string& what) {
  require(error == expected, what + " was answered with " + said(error) + " instead of " + said(expected));
}

std::optional<WallTime> expiry_of(std::string_view username) {
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(username.data(), username.data() + username.size(), seconds);
  if (failure != std::errc{} || end == username.data() + username.size() || *end != ':') return std::nullopt;
  return WallTime{std::chrono::seconds{seconds}};
}

// The issue of amplification: whoever forges the address of another shall not make the server multiply what it sends.
void check_amplification(const turn::FiveTuple& client, std::size_t question, std::size_t answer, double factor_max) {
  const std::size_t headers = kUdpBytes + (client.client.address.is_v4() ? kIpv4Bytes : kIpv6Bytes);
  const double factor = static_cast<double>(answer + headers) / static_cast<double>(question + headers);
  require(factor <= factor_max, "a stranger got " + std::to_string(factor) + " times what it sent");
}

turn::ReservationToken token_in(Bytes value) {
  turn::ReservationToken token{};
  require(value.size() == token.size(), "a RESERVATION-TOKEN has not eight octets");
  std::copy(value.begin(), value.end(), token.begin());
  return token;
}

std::uint32_t lifetime_in(const stun::MessageView& message) {
  const auto value = message.value(AttributeType::kLifetime);
  require(value.has_value(), "a success of Allocate or Refresh has no LIFETIME");
  return stun::read_u32(*value).value_or(0);
}

}  // namespace

void Model::on_message(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome,
                       Now now) {
  if (message.message_class() == MessageClass::kIndication && message.method() == Method::kSend) {
    return on_send(from, message, outcome, now);
  }
  if (message.message_class() != MessageClass::kRequest) return expect_drop(outcome, "the message is no request");
  if (const auto* reply = std::get_if<turn::Reply>(&outcome)) return on_request(from, message, *reply, now);

  require(std::holds_alternative<turn::Drop>(outcome), "a request brought something about that is no reply");
  const auto reason = std::get<turn::Drop>(outcome).reason;
  require(reason == turn::DropReason::kAnswerBudget, "a request got no answer");
  // Sources may share a place in the server's table, so any source that has used up its answers explains this.
  const bool somebody_spent_all =
      std::any_of(strangers_.begin(), strangers_.end(), [](const auto& entry) { return entry.second.tokens < 2; });
  require(somebody_spent_all, "a stranger was ignored though none has had its answers");
  ++statistics_.strangers_ignored;
}

// A token bucket for each source, as the operator would count.
void Model::take_token(const turn::ClientRef& from, TimePoint now) {
  const auto rate = static_cast<double>(rules_.stranger_answers_per_second);
  if (rate == 0 || turn::is_stream(from.five_tuple.transport) || find(from.five_tuple) != nullptr) return;
  const IpAddress source = source_of(from.five_tuple.client.address);
  auto& [tokens, at] = strangers_.try_emplace(source, Bucket{kBurstSeconds * rate, now}).first->second;
  tokens = std::min(kBurstSeconds * rate, tokens + rate * std::chrono::duration<double>(now - at).count());
  at = now;
  require(tokens > 0.999, "a stranger got more answers than it may have");
  tokens -= 1;
}

stun::LongTermKey Model::key_of(const std::string& username, const std::string& password, bool sha256) {
  auto& key = keys_[{username, sha256}];
  if (key.octets().empty()) {
    key = sha256 ? stun::long_term_key_sha256(username, rules_.realm, password)
                 : stun::long_term_key_md5(username, rules_.realm, password);
  }
  return key;
}

// RFC 8489 §9.2.4, but the nonce first (a deviation of the server that is described there). Sets `error` to what the
// answer has to be.
std::optional<Model::Identity> Model::identify(const stun::MessageView& message, const turn::FiveTuple& client, Now now,
                                               int* error) {
  *error = 401;
  const bool sha256 = message.has(AttributeType::kMessageIntegritySha256);
  if (!sha256 && !message.has(AttributeType::kMessageIntegrity)) return std::nullopt;
  const auto nonce = nonces_.find(std::string{as_text(message.value(AttributeType::kNonce).value_or(Bytes{}))});
  const auto username = std::string{as_text(message.value(AttributeType::kUsername).value_or(Bytes{}))};
  const auto is_of_client = [&client](const Nonce& issued) {  // over streams one of any port of the address
    return issued.transport == client.transport && issued.client.address == client.client.address &&
           (turn::is_stream(client.transport) || issued.client.port == client.client.port);
  };
  if (nonce == nonces_.end() || !is_of_client(nonce->second) ||
      now.wall - nonce->second.issued_at >= rules_.nonce_lifetime) {
    *error = 438;
    return std::nullopt;
  }
  Identity identity{username, username, std::nullopt};
  std::string password;
  if (const auto known = rules_.users.find(username); known != rules_.users.end()) {
    password = known->second;
  } else if (const auto expiry = expiry_of(username)) {
    if (*expiry <= now.wall) return std::nullopt;
    identity.user = username.substr(username.find(':') + 1);
    identity.expires_at = expiry;
    password = turn::make_time_limited_credential(rules_.shared_secret, identity.user, *expiry).password;
  } else {
    return std::nullopt;
  }
  const auto key = key_of(username, password, sha256);
  const bool valid = sha256 ? stun::check_message_integrity_sha256(message, key.octets())
                            : stun::check_message_integrity(message, key.octets());
  if (!valid) return std::nullopt;
  *error = 0;
  return identity;
}

void Model::on_challenge(const turn::ClientRef& from, const stun::MessageView& message, const stun::MessageView& reply,
                         Now now) {
  const auto nonce = reply.value(AttributeType::kNonce);
  require(nonce && reply.has(AttributeType::kRealm), "a challenge lacks its REALM or NONCE");
  nonces_.insert_or_assign(std::string{as_text(*nonce)},
                           Nonce{from.five_tuple.client, from.five_tuple.transport, now.wall});
  if (turn::is_stream(from.five_tuple.transport) || find(from.five_tuple) != nullptr) return;
  check_amplification(from.five_tuple, message.bytes().size(), reply.bytes().size(), 2.5);
}

void Model::on_request(const turn::ClientRef& from, const stun::MessageView& message, const turn::Reply& out, Now now) {
  const auto reply = stun::MessageView::parse(out.bytes);
  require(reply.has_value(), "a reply is no STUN message");
  require(reply->transaction_id() == message.transaction_id() && reply->method() == message.method(),
          "a reply belongs to another request");
  const int error = error_of(*reply);
  if (message.method() == Method::kBinding) {
    take_token(from, now.steady);
    expect_error(error, 0, "a Binding request");
    const auto mapped = reply->value(AttributeType::kXorMappedAddress);
    require(mapped && stun::read_xor_address(*mapped, reply->transaction_id()) == from.five_tuple.client,
            "a Binding response names another address than the one the request came from");
    return check_amplification(from.five_tuple, message.bytes().size(), reply->bytes().size(), 1.5);
  }
  int expected = 0;
  const auto identity = identify(message, from.five_tuple, now, &expected);
  if (!identity) {
    take_token(from, now.steady);
    expect_error(error, expected, "a request that is not authenticated");
    if (error == 438) ++statistics_.stale_nonces;
    return on_challenge(from, message, *reply, now);
  }
  const Request request{from, message, *identity, *reply, now, error};
  if (message.method() == Method::kAllocate) return on_allocate(request);
  if (message.method() == Method::kRefresh) {
    if (const auto ticket = message.value(AttributeType::kMobilityTicket)) {
      return on_refresh_with_ticket(request, *ticket);
    }
  }
  Allocation* allocation = find(from.five_tuple);
  if (allocation == nullptr) return expect_error(error, 437, "a request without an allocation");
  if (allocation->username != identity->username) return expect_error(error, 441, "another user's request");
  if (message.method() == Method::kRefresh) return on_refresh(request, *allocation, false);
  if (message.method() == Method::kCreatePermission) return on_create_permission(request, *allocation);
  on_channel_bind(request, *allocation);
}

// Why there may be no relay of this family; empty when there must be one.
std::string Model::relay_refusal(AddressFamily family, int error, bool even, bool pair) const {
  const auto address = rules_.relay_addresses.find(family);
  if (error == 440) return address == rules_.relay_addresses.end() ? "no such family" : "";
  if (error != 508 || address == rules_.relay_addresses.end()) return "";
  if (open_failed_) return "the system gave no socket";
  return ports_suffice(address->second, even, pair) ? "" : "no port is free";
}

// Why an Allocate may be refused like this; empty when it may not.
std::string Model::allocate_refusal(const Request& request, const std::optional<Token>& token) {
  const auto even = request.message.value(AttributeType::kEvenPort);
  const bool pair = even && ((*even)[0] & 0x80) != 0;
  const std::uint32_t wanted = pair ? 2 : 1;
  if (request.error == 405) {
    return request.message.has(AttributeType::kMobilityTicket) && !rules_.mobility ? "nobody may move" : "";
  }
  if (request.error == 486) {
    ++statistics_.quota_refusals;
    const IpAddress source = source_of(request.from.five_tuple.client.address);
    const bool user_full = rules_.per_user_max != 0 && held_by(request.identity.user) + wanted > rules_.per_user_max;
    const bool source_full = rules_.per_source_max != 0 && held_from(source) + wanted > rules_.per_source_max;
    return !token && (user_full || source_full) ? "the user's or the address's quota" : "";
  }
  if (request.error == 508) ++statistics_.capacity_refusals;
  if (request.error == 508 && token) {
    const auto reserved = reservations_.find(*token);
    const bool theirs = reserved != reservations_.end() && reserved->second.username == request.identity.username;
    return theirs ? "" : "no such reservation";
  }
  if (request.error == 508 && rules_.total_max != 0 && held() + wanted > rules_.total_max) return "the server is full";
  const std::uint32_t last_places = rules_.total_max / 8;  // not for those who hold one
  const bool is_of_them = held() + wanted > rules_.total_max - last_places;
  if (request.error == 508 && is_of_them && held_from(source_of(request.from.five_tuple.client.address)) + wanted > 1)
    return "the last places are for others";
  if (request.error == 508 && rules_.realm_max != 0 && held() + wanted > rules_.realm_max) return "the realm is full";
  const auto family = request.message.value(AttributeType::kRequestedAddressFamily);
  const auto first = family ? static_cast<AddressFamily>((*family)[0]) : AddressFamily::kIPv4;
  std::string because = relay_refusal(first, request.error, even.has_value(), pair);
  if (request.message.has(AttributeType::kAdditionalAddressFamily)) {  // both of them must have failed
    const bool other_failed = !relay_refusal(AddressFamily::kIPv6, 508, even.has_value(), pair).empty() ||
                              !relay_refusal(AddressFamily::kIPv6, 440, even.has_value(), pair).empty();
    if (!other_failed) because.clear();
  }
  return because;
}

void Model::on_allocate(const Request& request) {
  if (const Allocation* allocation = find(request.from.five_tuple)) {
    const bool again = allocation->transaction == request.message.transaction_id() &&
                       allocation->username == request.identity.username;
    if (!again) return expect_error(request.error, 437, "an Allocate on a five-tuple that has an allocation");
    expect_error(request.error, 0, "an Allocate that was sent again");
    const auto relays = relays_in(request, {});
    const bool same = std::equal(relays.begin(), relays.end(), allocation->relays.begin(), allocation->relays.end(),
                                 [](const auto& a, const auto& b) { return a.second.relayed == b.second.relayed; });
    return require(same, "an Allocate that was sent again got other relayed transport addresses");
  }
  if (request.error == 0) return on_allocated(request);
  std::optional<Token> token;
  if (const auto value = request.message.value(AttributeType::kReservationToken)) token = token_in(*value);
  const std::string because = allocate_refusal(request, token);
  require(!because.empty(), "an Allocate was refused with " + said(request.error) + " for no reason");
}

std::map<AddressFamily, Model::Relay> Model::relays_in(const Request& request, TimePoint expires_at) {
  std::map<AddressFamily, Relay> relays;
  request.reply.for_each([&](const stun::Attribute& attribute) {
    if (attribute.type != AttributeType::kXorRelayedAddress) return;
    const Endpoint relayed = stun::read_xor_address(attribute.value, request.reply.transaction_id()).value();
    require(relays.emplace(relayed.address.family(), Relay{relayed, expires_at}).second, "two relays of one family");
    require(is_relayed_address(relayed.address), "the relayed address is none of this server");
    require(relayed.port >= rules_.port_min && relayed.port <= rules_.port_max, "the relayed port is out of the range");
  });
  require(!relays.empty(), "a success of Allocate has no XOR-RELAYED-ADDRESS");
  return relays;
}

void Model::take_reservation(const Token& token, const Identity& identity, Allocation& allocation) {
  const auto reserved = reservations_.find(token);
  require(reserved != reservations_.end(), "a reservation was granted that is unknown or over");
  require(reserved->second.username == identity.username, "a user got another's reservation");
  require(allocation.relays.begin()->second.relayed == reserved->second.relayed, "a reservation led to another port");
  allocation.source = reserved->second.source;
  reservations_.erase(reserved);
  ++statistics_.reservations_taken;
}

// RFC 8656 §7.2, step 9: of two relays one may fail, for a reason that is told.
void Model::check_partial(const Request& request, const Allocation& allocation) {
  const auto attribute = request.reply.value(AttributeType::kAddressErrorCode);
  const bool dual = request.message.has(AttributeType::kAdditionalAddressFamily);
  require(allocation.relays.size() == (dual && !attribute ? 2u : 1u), "not as many relays as were asked for");
  dual && !attribute ? ++statistics_.dual : 0;
  if (!attribute) return;
  require(dual && attribute->size() >= 4, "an ADDRESS-ERROR-CODE that nobody asked for");
  const auto family = static_cast<AddressFamily>((*attribute)[0]);
  const int error = (*attribute)[2] * 100 + (*attribute)[3];
  require(!allocation.relays.contains(family), "an ADDRESS-ERROR-CODE for a family that there is a relay of");
  require(!relay_refusal(family, error, request.message.has(AttributeType::kEvenPort), false).empty(),
          "half of an allocation was refused with " + said(error) + " for no reason");
  ++statistics_.halves;
}

void Model::on_allocated(const Request& request) {
  const auto& [from, message, identity, reply, now, error] = request;
  const auto requested = message.value(AttributeType::kLifetime);
  const std::chrono::seconds wanted{requested ? stun::read_u32(*requested).value() : 0};
  const auto granted = std::clamp(wanted, rules_.lifetime_default, rules_.lifetime_max);
  const TimePoint credential_ends_at =
      identity.expires_at ? now.steady + (*identity.expires_at - now.wall) : TimePoint::max();
  const TimePoint expires_at = std::min(now.steady + granted, credential_ends_at);
  const std::chrono::seconds told{lifetime_in(reply)};
  require(told <= expires_at - now.steady && told + 1s > expires_at - now.steady,
          "the granted lifetime is " + std::to_string(told.count()) + " s");

  Allocation allocation{from,
                        identity.username,
                        identity.user,
                        source_of(from.five_tuple.client.address),
                        relays_in(request, expires_at),
                        message.transaction_id(),
                        credential_ends_at,
                        {},
                        {}};
  if (const auto value = message.value(AttributeType::kReservationToken)) {
    take_reservation(token_in(*value), identity, allocation);
  }
  for (const auto& [family, relay] : allocation.relays)
    require(find_relayed(relay.relayed) == nullptr, relay.relayed.to_string() + " was given to two clients");
  check_partial(request, allocation);
  if (message.has(AttributeType::kMobilityTicket)) {
    const auto ticket = reply.value(AttributeType::kMobilityTicket);
    require(rules_.mobility && ticket && !ticket->empty(), "who may move gets a ticket, and nobody else");
    allocation.mobility = Mobility{.ticket = {ticket->begin(), ticket->end()}};
  }
  allocations_.push_back(allocation);

  if (const auto token = reply.value(AttributeType::kReservationToken)) {
    const Endpoint& relayed = allocation.relays.begin()->second.relayed;
    require(relayed.port % 2 == 0, "the port beside an odd one was reserved");
    const Endpoint next{relayed.address, static_cast<std::uint16_t>(relayed.port + 1)};
    reservations_.emplace(token_in(*token),
                          Reservation{identity.username, identity.user, allocation.source, next, now.steady + 30s});
  }
  ++statistics_.allocations;
}

// RFC 8016 §3.2.2. A ticket that is not the newest is worth nothing, but for a copy of the request that spent it.
void Model::on_refresh_with_ticket(const Request& request, Bytes ticket) {
  if (!rules_.mobility) return expect_error(request.error, 405, "a Refresh with a ticket");
  const turn::FiveTuple& from = request.from.five_tuple;
  const auto is_ticket = [ticket](const Octets& octets) {
    return std::equal(ticket.begin(), ticket.end(), octets.begin(), octets.end());
  };
  Allocation* const there = find(from);
  for (Allocation& allocation : allocations_) {
    if (!allocation.mobility) continue;
    const Mobility& mobility = *allocation.mobility;
    const turn::ClientRef& newest = mobility.next ? *mobility.next : allocation.client;
    const bool again = is_ticket(mobility.spent_ticket) && there == &allocation && newest.five_tuple == from &&
                       mobility.move_transaction == request.message.transaction_id();
    const bool moves = is_ticket(mobility.ticket) && there != &allocation;
    if (!again && !moves) continue;
    if (allocation.username != request.identity.username) return expect_error(request.error, 441, "another's ticket");
    if (there != nullptr && there != &allocation) return expect_error(request.error, 437, "a move to a taken place");
    return on_refresh(request, allocation, moves);
  }
  require(request.error == 400 || request.error == 437, "a ticket that is worth nothing moved something");
}

void Model::move(const Request& request, Allocation& allocation) {
  Mobility& mobility = *allocation.mobility;
  if (mobility.is_away) {
    allocation.client = request.from;
    mobility.is_away = false;
    mobility.next.reset();
  } else {
    mobility.next = request.from;
  }
  const auto ticket = request.reply.value(AttributeType::kMobilityTicket);
  require(ticket && !ticket->empty(), "a client that moved got no other ticket");
  mobility.spent_ticket = std::exchange(mobility.ticket, Octets{ticket->begin(), ticket->end()});
  require(mobility.ticket != mobility.spent_ticket, "a ticket was given twice");
  mobility.move_transaction = request.message.transaction_id();
  ++statistics_.moves;
}

void Model::on_refresh(const Request& request, Allocation& allocation, bool moves) {
  const auto requested = request.message.value(AttributeType::kLifetime);
  const std::chrono::seconds wanted{requested ? stun::read_u32(*requested).value() : 0};
  std::optional<AddressFamily> family;
  if (const auto value = request.message.value(AttributeType::kRequestedAddressFamily)) {
    family = static_cast<AddressFamily>((*value)[0]);
  }
  const bool release = requested && wanted == 0s;
  if (family && !allocation.relays.contains(*family)) {
    // A second copy of the request that removed it is a success again.
    return require(request.error == 443 || (request.error == 0 && release), "a Refresh of a family without a relay");
  }
  expect_error(request.error, 0, "a Refresh");
  const std::chrono::seconds told{lifetime_in(request.reply)};
  if (release) {
    require(told == 0s, "an allocation was released, and its lifetime is not over");
    if (family) allocation.forget_relay(*family, request.now.steady);
    if (!family || allocation.relays.empty()) erase(allocation);
    return;
  }
  if (moves) move(request, allocation);
  const auto granted = std::clamp(wanted, rules_.lifetime_default, rules_.lifetime_max);
  const TimePoint expires_at = std::min(request.now.steady + granted, allocation.credential_ends_at);
  for (auto& [of, relay] : allocation.relays)
    if (!family || of == *family) relay.expires_at = expires_at;
  require(told <= expires_at - request.now.steady && told + 1s > expires_at - request.now.steady,
          "a Refresh granted " + std::to_string(told.count()) + " s");
  ++statistics_.refreshes;
}

int Model::peer_error(const Allocation& allocation, const IpAddress& peer) const {
  if (allocation.relay_for(peer) == nullptr) return 443;
  return !is_relayed_address(peer) && is_denied(peer) ? 403 : 0;
}

void Model::on_create_permission(const Request& request, Allocation& allocation) {
  int expected = 0;
  std::vector<IpAddress> peers;
  request.message.for_each([&](const stun::Attribute& attribute) {
    if (attribute.type != AttributeType::kXorPeerAddress) return;
    peers.push_back(stun::read_xor_address(attribute.value, request.message.transaction_id()).value().address);
    if (expected == 0) expected = peer_error(allocation, peers.back());
  });
  const auto is_new = [&allocation](const IpAddress& peer) { return !allocation.permissions.contains(peer); };
  const auto added = static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), is_new));
  if (expected == 0 && allocation.permissions.size() + added > rules_.permissions_max) expected = 508;
  expect_error(request.error, expected, "a CreatePermission");
  if (expected == 403) ++statistics_.denied_peers;
  if (expected != 0) return;
  for (const IpAddress& peer : peers)
    allocation.permissions[peer] = request.now.steady + rules_.permission_lifetime;
  ++statistics_.permissions;
}

void Model::on_channel_bind(const Request& request, Allocation& allocation) {
  const auto number = stun::read_channel_number(request.message.value(AttributeType::kChannelNumber).value()).value();
  const Endpoint peer = stun::read_xor_address(request.message.value(AttributeType::kXorPeerAddress).value(),
                                               request.message.transaction_id())
                            .value();
  const bool conflict = std::any_of(allocation.channels.begin(), allocation.channels.end(), [&](const auto& entry) {
    return (entry.first == number) != (entry.second.peer == peer);
  });
  int expected = conflict ? 400 : peer_error(allocation, peer.address);
  const bool channels_full = !allocation.channels.contains(number) && allocation.channels.size() >= rules_.channels_max;
  const bool permissions_full =
      !allocation.permissions.contains(peer.address) && allocation.permissions.size() >= rules_.permissions_max;
  if (expected == 0 && (channels_full || permissions_full)) expected = 508;
  expect_error(request.error, expected, "a ChannelBind");
  if (expected == 403) ++statistics_.denied_peers;
  if (expected != 0) return;
  allocation.channels[number] = {peer, request.now.steady + rules_.channel_lifetime};
  allocation.permissions[peer.address] = request.now.steady + rules_.permission_lifetime;
  ++statistics_.channels;
}

}  // namespace causeway::simulation
