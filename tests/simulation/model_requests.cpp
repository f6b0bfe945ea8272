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
  const IpAddress& address = from.five_tuple.client.address;
  const IpAddress source = address.is_v4() ? address : Prefix{address, 64}.address();
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
std::optional<Model::Identity> Model::identify(const stun::MessageView& message, const IpAddress& client, Now now,
                                               int* error) {
  *error = 401;
  const bool sha256 = message.has(AttributeType::kMessageIntegritySha256);
  if (!sha256 && !message.has(AttributeType::kMessageIntegrity)) return std::nullopt;
  const auto nonce = nonces_.find(std::string{as_text(message.value(AttributeType::kNonce).value_or(Bytes{}))});
  const auto username = std::string{as_text(message.value(AttributeType::kUsername).value_or(Bytes{}))};
  if (nonce == nonces_.end() || nonce->second.client != client ||
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
  nonces_.insert_or_assign(std::string{as_text(*nonce)}, Nonce{from.five_tuple.client.address, now.wall});
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
  const auto identity = identify(message, from.five_tuple.client.address, now, &expected);
  if (!identity) {
    take_token(from, now.steady);
    expect_error(error, expected, "a request that is not authenticated");
    if (error == 438) ++statistics_.stale_nonces;
    return on_challenge(from, message, *reply, now);
  }
  const Request request{from, message, *identity, *reply, now, error};
  if (message.method() == Method::kAllocate) return on_allocate(request);
  Allocation* allocation = find(from.five_tuple);
  if (allocation == nullptr) return expect_error(error, 437, "a request without an allocation");
  if (allocation->username != identity->username) return expect_error(error, 441, "another user's request");
  if (message.method() == Method::kRefresh) return on_refresh(request, *allocation);
  if (message.method() == Method::kCreatePermission) return on_create_permission(request, *allocation);
  on_channel_bind(request, *allocation);
}

// Why an Allocate may be refused like this; empty when it may not.
std::string Model::allocate_refusal(const Request& request, const std::optional<Token>& token, bool even, bool pair) {
  const std::uint32_t wanted = pair ? 2 : 1;
  const auto family = request.message.value(AttributeType::kRequestedAddressFamily);
  const auto wanted_family = family ? static_cast<AddressFamily>((*family)[0]) : AddressFamily::kIPv4;
  const auto address = rules_.relay_addresses.find(wanted_family);
  const bool user_full = rules_.per_user_max != 0 && held_by(request.identity.user) + wanted > rules_.per_user_max;
  const bool total_full = rules_.total_max != 0 && held() + wanted > rules_.total_max;
  switch (request.error) {
    case 440:
      return address == rules_.relay_addresses.end() ? "no such family" : "";
    case 486:
      ++statistics_.quota_refusals;
      return !token && user_full ? "the user's quota" : "";
    case 508: {
      ++statistics_.capacity_refusals;
      if (token) {
        const auto reserved = reservations_.find(*token);
        const bool theirs = reserved != reservations_.end() && reserved->second.username == request.identity.username;
        return theirs ? "" : "no such reservation";
      }
      if (total_full) return "the server is full";
      if (open_failed_) return "the system gave no socket";
      return ports_suffice(address->second, even, pair) ? "" : "no port is free";
    }
    default:
      return "";
  }
}

void Model::on_allocate(const Request& request) {
  if (const Allocation* allocation = find(request.from.five_tuple)) {
    const bool again = allocation->transaction == request.message.transaction_id() &&
                       allocation->username == request.identity.username;
    if (!again) return expect_error(request.error, 437, "an Allocate on a five-tuple that has an allocation");
    expect_error(request.error, 0, "an Allocate that was sent again");
    const auto relayed = request.reply.value(AttributeType::kXorRelayedAddress);
    return require(relayed && stun::read_xor_address(*relayed, request.reply.transaction_id()) == allocation->relayed,
                   "an Allocate that was sent again got another relayed transport address");
  }
  if (request.error == 0) return on_allocated(request);
  std::optional<Token> token;
  if (const auto value = request.message.value(AttributeType::kReservationToken)) token = token_in(*value);
  const auto even = request.message.value(AttributeType::kEvenPort);
  const std::string because = allocate_refusal(request, token, even.has_value(), even && ((*even)[0] & 0x80) != 0);
  require(!because.empty(), "an Allocate was refused with " + said(request.error) + " for no reason");
}

void Model::on_allocated(const Request& request) {
  const auto& [from, message, identity, reply, now, error] = request;
  const auto attribute = reply.value(AttributeType::kXorRelayedAddress);
  require(attribute.has_value(), "a success of Allocate has no XOR-RELAYED-ADDRESS");
  const Endpoint relayed = stun::read_xor_address(*attribute, reply.transaction_id()).value();
  if (const auto value = message.value(AttributeType::kReservationToken)) {
    const auto reserved = reservations_.find(token_in(*value));
    require(reserved != reservations_.end(), "a reservation was granted that is unknown or over");
    require(reserved->second.username == identity.username, "a user got another's reservation");
    require(reserved->second.relayed == relayed, "a reservation led to another port");
    reservations_.erase(reserved);
    ++statistics_.reservations_taken;
  }
  Allocation allocation{from, identity.username, identity.user, relayed, message.transaction_id(), {}, {}, {}, {}};
  require(is_relayed_address(relayed.address), "the relayed address is none of this server");
  require(relayed.port >= rules_.port_min && relayed.port <= rules_.port_max, "the relayed port is out of the range");
  require(find_relayed(relayed) == nullptr, relayed.to_string() + " was given to two clients");

  const auto requested = message.value(AttributeType::kLifetime);
  const std::chrono::seconds wanted{requested ? stun::read_u32(*requested).value() : 0};
  const auto granted = std::clamp(wanted, rules_.lifetime_default, rules_.lifetime_max);
  allocation.credential_ends_at =
      identity.expires_at ? now.steady + (*identity.expires_at - now.wall) : TimePoint::max();
  allocation.expires_at = std::min(now.steady + granted, allocation.credential_ends_at);
  const std::chrono::seconds told{lifetime_in(reply)};
  require(told <= allocation.expires_at - now.steady && told + 1s > allocation.expires_at - now.steady,
          "the granted lifetime is " + std::to_string(told.count()) + " s");
  allocations_.emplace(from.five_tuple, allocation);

  if (const auto token = reply.value(AttributeType::kReservationToken)) {
    require(relayed.port % 2 == 0, "the port beside an odd one was reserved");
    const Endpoint next{relayed.address, static_cast<std::uint16_t>(relayed.port + 1)};
    reservations_.emplace(token_in(*token), Reservation{identity.username, identity.user, next, now.steady + 30s});
  }
  ++statistics_.allocations;
}

void Model::on_refresh(const Request& request, Allocation& allocation) {
  expect_error(request.error, 0, "a Refresh");
  const auto requested = request.message.value(AttributeType::kLifetime);
  const std::chrono::seconds wanted{requested ? stun::read_u32(*requested).value() : 0};
  const std::chrono::seconds told{lifetime_in(request.reply)};
  if (requested && wanted == 0s) {
    require(told == 0s, "an allocation was released, and its lifetime is not over");
    allocations_.erase(request.from.five_tuple);
    return;
  }
  const auto granted = std::clamp(wanted, rules_.lifetime_default, rules_.lifetime_max);
  allocation.expires_at = std::min(request.now.steady + granted, allocation.credential_ends_at);
  require(told <= allocation.expires_at - request.now.steady && told + 1s > allocation.expires_at - request.now.steady,
          "a Refresh granted " + std::to_string(told.count()) + " s");
  ++statistics_.refreshes;
}

int Model::peer_error(const Allocation& allocation, const IpAddress& peer) const {
  if (peer.family() != allocation.relayed.address.family()) return 443;
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
