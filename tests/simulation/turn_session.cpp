// SPDX-License-Identifier: Apache-2.0
#include "turn_session.hpp"

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "payload.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;
using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::Method;

namespace {

constexpr auto kRefreshPermissionAfter = 240s;
constexpr std::uint32_t kProtocolUdp = 17;

}  // namespace

TurnSession::TurnSession(World& world, const SessionOptions& options, Owner owner)
    : world_(world), options_(options), owner_(std::move(owner)) {}

TurnSession::~TurnSession() {
  stream_ ? stream_->close(Stream::kClient) : world_.network.close(options_.inside);
  if (former_stream_) former_stream_->close(Stream::kClient);
  for (const Endpoint& socket : former_)
    world_.network.close(socket);
}

void TurnSession::connect() {
  const std::weak_ptr self = shared_from_this();
  if (!turn::is_stream(options_.transport)) {
    world_.network.open(options_.inside, [self](const Endpoint&, const Endpoint&, Bytes bytes) {
      if (const auto session = self.lock()) session->on_datagram(bytes);
    });
    return;
  }
  stream_ = world_.network.connect(options_.inside, options_.server);
  framer_ = {};
  const std::weak_ptr stream = stream_;
  const auto is_current = [](const std::shared_ptr<TurnSession>& session, const std::weak_ptr<Stream>& of) {
    return session && of.lock() == session->stream_;
  };
  const auto on_closed = [=] {
    const auto session = self.lock();
    if (is_current(session, stream) && !session->come_back()) session->end(End::kBroken);
  };
  const auto on_bytes = [=](Bytes bytes) {
    const auto session = self.lock();
    if (is_current(session, stream)) session->on_stream_bytes(bytes);
  };
  stream_->listen(Stream::kClient, {on_bytes, on_closed});
}

void TurnSession::begin() {
  connect();
  if (!stream_ && options_.keepalive != Duration{0}) later(options_.keepalive, &TurnSession::keep_alive);
  const auto build = [options = options_](MessageBuilder& message) {
    message.add_u32(AttributeType::kRequestedTransport, kProtocolUdp << 24);
    if (options.lifetime) message.add_u32(AttributeType::kLifetime, *options.lifetime);
    if (options.mobility) message.add_flag(AttributeType::kMobilityTicket);
    if (options.reservation_token) {
      message.add(AttributeType::kReservationToken, *options.reservation_token);
      return;
    }
    if (options.relay_family == AddressFamily::kIPv6) {
      message.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(options.relay_family) << 24);
    }
    if (options.dual) {
      message.add_u32(AttributeType::kAdditionalAddressFamily, static_cast<std::uint32_t>(AddressFamily::kIPv6) << 24);
    }
    const std::array<std::uint8_t, 1> even_port{static_cast<std::uint8_t>(options.reserve_next ? 0x80 : 0)};
    if (options.even_port) message.add(AttributeType::kEvenPort, even_port);
  };
  request(Method::kAllocate, build, [this](int error, const stun::MessageView* reply) {
    if (error == 0) return on_allocated(*reply);
    end(error == kTimeout ? End::kTimeout : End::kRefused);
  });
}

void TurnSession::on_allocated(const stun::MessageView& reply) {
  if (ended_) return;  // the client has hung up meanwhile
  reply.for_each([&](const stun::Attribute& attribute) {
    if (attribute.type != AttributeType::kXorRelayedAddress) return;
    const Endpoint relayed = stun::read_xor_address(attribute.value, reply.transaction_id()).value();
    relayed_[relayed.address.family()] = relayed;
  });
  if (const auto token = reply.value(AttributeType::kReservationToken))
    reservation_.emplace(token->begin(), token->end());
  if (const auto ticket = reply.value(AttributeType::kMobilityTicket)) ticket_.emplace(ticket->begin(), ticket->end());
  path_ = world_.network.seen_from(options_.inside, options_.server);
  granted(reply);
  owner_.on_allocated();
}

std::optional<Endpoint> TurnSession::relayed(AddressFamily family) const {
  const auto found = relayed_.find(family);
  return found == relayed_.end() ? std::nullopt : std::optional{found->second};
}

void TurnSession::release_half() {
  if (relayed_.size() < 2) return;
  relayed_.erase(AddressFamily::kIPv6);
  const auto build = [](MessageBuilder& message) {
    message.add_u32(AttributeType::kLifetime, 0);
    message.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(AddressFamily::kIPv6) << 24);
  };
  request(Method::kRefresh, build, [](int, const stun::MessageView*) {});
}

// Like libwebrtc: a minute before the end, or in the middle of what is shorter than two.
void TurnSession::granted(const stun::MessageView& reply) {
  const std::chrono::seconds lifetime{stun::read_u32(reply.value(AttributeType::kLifetime).value()).value()};
  granted_until_ = answered_request_sent_ + lifetime;
  const Duration after = lifetime > 120s ? Duration{lifetime - 60s} : Duration{lifetime} / 2 + 1s;
  world_.queue.after(after, [self = weak_from_this(), grant = ++grants_] {
    const auto session = self.lock();
    if (session && !session->ended_ && session->grants_ == grant) session->refresh();
  });
}

// With the ticket the allocation comes along. What the server still sends to the old socket arrives.
void TurnSession::move() {
  if (!ticket_ || ended_ || std::exchange(moving_, true)) return;
  if (stream_) {
    former_stream_ = stream_;
  } else {
    former_.push_back(options_.inside);
  }
  options_.inside = owner_.next_socket();
  connect();
  const auto build = [ticket = *ticket_](MessageBuilder& message) {
    message.add(AttributeType::kMobilityTicket, ticket);
  };
  request(Method::kRefresh, build, [this](int error, const stun::MessageView* reply) {
    moving_ = false;
    if (former_stream_) former_stream_->close(Stream::kClient);
    if (ended_) return;
    if (error != 0) return end(error == kTimeout ? End::kTimeout : End::kRefused);
    const Bytes ticket = reply->value(AttributeType::kMobilityTicket).value();
    ticket_.emplace(ticket.begin(), ticket.end());
    path_ = world_.network.seen_from(options_.inside, options_.server);
    granted(*reply);
  });
}

// After its path is gone.
bool TurnSession::come_back() {
  if (!ticket_ || ended_) return false;
  move();
  return true;
}

void TurnSession::refresh() {
  const auto build = [lifetime = options_.lifetime](MessageBuilder& message) {
    if (lifetime) message.add_u32(AttributeType::kLifetime, *lifetime);
  };
  request(Method::kRefresh, build, [this](int error, const stun::MessageView* reply) {
    if (error == 0) return granted(*reply);
    if (error == kTimeout) return refresh();
    error == 437 ? lost() : end(End::kRefused);
  });
}

// The server has no allocation for what it sees this client come from. That is right when the client's NAT gave it
// another port, or when nothing of several refreshes came through.
void TurnSession::lost() {
  if (ended_ || moving_) return;  // what was sent from the new place before the move was granted
  const bool same_path = stream_ != nullptr || world_.network.seen_from(options_.inside, options_.server) == path_;
  if (same_path) {
    require(world_.queue.time() >= granted_until_, "a client lost its allocation within the lifetime it was granted");
    require(!world_.behaving_clients_lose_nothing, "a client that refreshed in time lost its allocation");
  } else {
    ++world_.statistics.lost_to_rebinding;
    if (come_back()) return;
  }
  end(End::kLost);
}

void TurnSession::end(End reason) {
  if (std::exchange(ended_, true)) return;
  if (reason == End::kTimeout) ++world_.statistics.timeouts;
  owner_.on_ended(reason);
}

void TurnSession::close() {
  ended_ = true;
  permissions_.clear();
  const auto build = [](MessageBuilder& message) { message.add_u32(AttributeType::kLifetime, 0); };
  // It lives until its last request is over.
  request(Method::kRefresh, build, [self = shared_from_this()](int, const stun::MessageView*) {
    if (self->stream_) self->stream_->close(Stream::kClient);
  });
}

void TurnSession::cut() {
  if (stream_) stream_->cut();
}

void TurnSession::permit(const Endpoint& peer, TimePoint until) {
  Permission& permission = permissions_[peer];
  permission.wanted_until = std::max(permission.wanted_until, until);
  if (!std::exchange(permission.asked, true)) renew(peer);
}

void TurnSession::renew(const Endpoint& peer) {
  const auto found = permissions_.find(peer);
  if (found == permissions_.end() || ended_) return;
  Permission& permission = found->second;
  if (permission.wanted_until <= world_.queue.time()) {
    permission.asked = false;
    return;
  }
  if (options_.channels && !permission.channel) permission.channel = next_channel_++;
  const auto build = [peer, channel = permission.channel](MessageBuilder& message) {
    if (channel) message.add_u32(AttributeType::kChannelNumber, std::uint32_t{*channel} << 16);
    message.add_xor_address(AttributeType::kXorPeerAddress, peer);
  };
  const Method method = permission.channel ? Method::kChannelBind : Method::kCreatePermission;
  request(method, build, [this, peer](int error, const stun::MessageView*) {
    const auto asked = permissions_.find(peer);
    if (asked == permissions_.end()) return;
    if (error == 437 && !moving_) return lost();
    if (error == 0 && asked->second.channel) {
      channels_[*asked->second.channel] = peer;
      asked->second.channel_is_bound = true;
    }
    if (error != 0) asked->second.channel_is_bound = false;
    world_.queue.after(error == 0 ? kRefreshPermissionAfter : 20s, [self = weak_from_this(), peer] {
      if (const auto session = self.lock()) session->renew(peer);
    });
  });
}

void TurnSession::send(const Endpoint& peer, Bytes payload) {
  const auto permission = permissions_.find(peer);
  if (permission != permissions_.end() && permission->second.channel_is_bound) {
    Octets message(4 + payload.size());
    store_be16(message.data(), *permission->second.channel);
    store_be16(message.data() + 2, static_cast<std::uint16_t>(payload.size()));
    std::copy(payload.begin(), payload.end(), message.begin() + 4);
    if (stream_) message.resize((message.size() + 3) / 4 * 4);
    return put(message);
  }
  std::array<std::uint8_t, 1600> buffer{};
  stun::TransactionId id{};
  world_.random.fill(id);
  MessageBuilder message{buffer, Method::kSend, MessageClass::kIndication, id};
  message.add_xor_address(AttributeType::kXorPeerAddress, peer).add(AttributeType::kData, payload);
  put(message.finish());
}

void TurnSession::misbehave() {
  static const std::vector<const char*> kDeniedV4{"10.1.2.3",    "127.0.0.1", "169.254.169.254",
                                                  "192.168.1.1", "8.8.4.4",   "5.5.5.6"};
  static const std::vector<const char*> kDeniedV6{"::1", "fe80::1", "fd00::1", "64:ff9b::a01:203", "2002:a01:203::1"};
  const bool v4 = options_.relay_family == AddressFamily::kIPv4;
  const Endpoint denied{*IpAddress::parse(world_.random.one_of(v4 ? kDeniedV4 : kDeniedV6)), 80};
  const auto ask = [this](Method method, const Build& build) {
    request(method, build, [](int, const stun::MessageView*) {});
  };
  const auto channel_bind = [this, &ask](std::uint16_t number, const Endpoint& peer) {
    ask(Method::kChannelBind, [number, peer](MessageBuilder& message) {
      message.add_u32(AttributeType::kChannelNumber, std::uint32_t{number} << 16);
      message.add_xor_address(AttributeType::kXorPeerAddress, peer);
    });
  };
  switch (world_.random.below(6)) {
    case 0:
      return ask(Method::kCreatePermission, [denied](MessageBuilder& message) {
        message.add_xor_address(AttributeType::kXorPeerAddress, denied);
      });
    case 1:
      return channel_bind(0x4FF0, denied);
    case 2:  // a number that belongs to somebody else
      if (!channels_.empty())
        channel_bind(channels_.begin()->first, {*IpAddress::parse(v4 ? "8.8.8.200" : "2620:8::c8"), 9});
      return;
    case 3:
      return send(denied, write_payload({0, world_.next_serial++}, 40));
    case 4:
      return put(std::array<std::uint8_t, 8>{0x4F, 0xFF, 0, 4, 1, 2, 3, 4});
    default:
      return ask(Method::kAllocate, [](MessageBuilder& message) {
        message.add_u32(AttributeType::kRequestedTransport, kProtocolUdp << 24);
      });
  }
}

void TurnSession::keep_alive() {
  std::array<std::uint8_t, 20> buffer{};
  stun::TransactionId id{};
  world_.random.fill(id);
  put(MessageBuilder{buffer, Method::kBinding, MessageClass::kIndication, id}.finish());
  later(options_.keepalive, &TurnSession::keep_alive);
}

}  // namespace causeway::simulation
