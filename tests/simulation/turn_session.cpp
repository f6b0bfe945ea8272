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
}

void TurnSession::begin() {
  const std::weak_ptr self = shared_from_this();
  if (turn::is_stream(options_.transport)) {
    stream_ = world_.network.connect(options_.inside, options_.server);
    const auto on_closed = [self] {
      if (const auto session = self.lock()) session->end(End::kBroken);
    };
    const auto on_bytes = [self](Bytes bytes) {
      if (const auto session = self.lock()) session->on_stream_bytes(bytes);
    };
    stream_->listen(Stream::kClient, {on_bytes, on_closed});
  } else {
    world_.network.open(options_.inside, [self](const Endpoint&, const Endpoint&, Bytes bytes) {
      if (const auto session = self.lock()) session->on_datagram(bytes);
    });
    if (options_.keepalive != Duration{0}) later(options_.keepalive, &TurnSession::keep_alive);
  }
  const auto build = [options = options_](MessageBuilder& message) {
    message.add_u32(AttributeType::kRequestedTransport, kProtocolUdp << 24);
    if (options.lifetime) message.add_u32(AttributeType::kLifetime, *options.lifetime);
    if (options.reservation_token) {
      message.add(AttributeType::kReservationToken, *options.reservation_token);
      return;
    }
    if (options.relay_family == AddressFamily::kIPv6) {
      message.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(options.relay_family) << 24);
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
  const auto relayed = reply.value(AttributeType::kXorRelayedAddress);
  relayed_ = stun::read_xor_address(relayed.value(), reply.transaction_id());
  if (const auto token = reply.value(AttributeType::kReservationToken))
    reservation_.emplace(token->begin(), token->end());
  path_ = world_.network.seen_from(options_.inside, options_.server);
  granted(reply);
  owner_.on_allocated();
}

// Like libwebrtc: a minute before the end, or in the middle of what is shorter than two.
void TurnSession::granted(const stun::MessageView& reply) {
  const std::chrono::seconds lifetime{stun::read_u32(reply.value(AttributeType::kLifetime).value()).value()};
  granted_until_ = answered_request_sent_ + lifetime;
  later(lifetime > 120s ? Duration{lifetime - 60s} : Duration{lifetime} / 2 + 1s, &TurnSession::refresh);
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
  if (ended_) return;
  const bool same_path = stream_ != nullptr || world_.network.seen_from(options_.inside, options_.server) == path_;
  if (same_path) {
    require(world_.queue.time() >= granted_until_, "a client lost its allocation within the lifetime it was granted");
    require(!world_.behaving_clients_lose_nothing, "a client that refreshed in time lost its allocation");
  } else {
    ++world_.statistics.lost_to_rebinding;
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
    if (error == 437) return lost();
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
