// SPDX-License-Identifier: Apache-2.0
// What goes over the wire of a client: transactions with their retransmissions, challenges, framing.
#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"
#include "turn_session.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;
using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::Method;

namespace {

// RFC 8489 §6.2.1 and §6.2.2.
constexpr Duration kRto = 500ms;
constexpr int kTransmissionsMax = 7;
constexpr Duration kLastWait = 16 * kRto;
constexpr Duration kReliableTimeout = 39'500ms;
constexpr int kChallengesMax = 3;

}  // namespace

void TurnSession::later(Duration delay, void (TurnSession::*what)()) {
  world_.queue.after(delay, [self = weak_from_this(), what] {
    const auto session = self.lock();
    if (session && !session->ended_) ((*session).*what)();
  });
}

stun::LongTermKey TurnSession::key() const {
  if (!key_) {
    key_ = options_.sha256 ? stun::long_term_key_sha256(options_.username, realm_, options_.password)
                           : stun::long_term_key_md5(options_.username, realm_, options_.password);
  }
  return *key_;
}

Octets TurnSession::write_request(Method method, const stun::TransactionId& id, const Build& build) const {
  std::array<std::uint8_t, 1024> buffer{};
  MessageBuilder message{buffer, method, MessageClass::kRequest, id};
  build(message);
  if (!nonce_.empty()) {
    message.add_text(AttributeType::kUsername, options_.username);
    message.add_text(AttributeType::kRealm, realm_).add_text(AttributeType::kNonce, nonce_);
    if (options_.sha256) {
      message.add(AttributeType::kPasswordAlgorithms, std::array<std::uint8_t, 8>{0, 2, 0, 0, 0, 1, 0, 0});
      message.add_u32(AttributeType::kPasswordAlgorithm, 2u << 16);
      message.add_message_integrity_sha256(key().octets());
    } else {
      message.add_message_integrity(key().octets());
    }
  }
  const Bytes bytes = message.finish();
  return {bytes.begin(), bytes.end()};
}

void TurnSession::request(Method method, Build build, Done done, int challenges) {
  stun::TransactionId id{};
  world_.random.fill(id);
  Octets bytes = write_request(method, id, build);
  pending_.emplace(
      id, Pending{method, std::move(build), std::move(done), std::move(bytes), world_.queue.time(), 0, challenges});
  transmit(id);
}

void TurnSession::transmit(const stun::TransactionId& id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  Pending& pending = found->second;
  put(pending.bytes);
  ++pending.sent;
  const bool last = stream_ != nullptr || pending.sent == kTransmissionsMax;
  const Duration wait = stream_ ? kReliableTimeout : last ? kLastWait : kRto * (1 << (pending.sent - 1));
  world_.queue.after(wait, [self = weak_from_this(), id, last] {
    if (const auto session = self.lock()) last ? session->give_up(id) : session->transmit(id);
  });
}

void TurnSession::give_up(const stun::TransactionId& id) {
  const auto node = pending_.extract(id);
  if (node) node.mapped().done(kTimeout, nullptr);
}

void TurnSession::on_response(const stun::MessageView& message) {
  const auto node = pending_.extract(message.transaction_id());
  if (!node) return;  // a second answer, or one too late
  Pending& pending = node.mapped();
  require(message.method() == pending.method, "a client got the answer to another request");
  int error = 0;
  if (message.message_class() == MessageClass::kErrorResponse) {
    error = stun::read_error_code(message.value(AttributeType::kErrorCode).value()).value();
  }
  const bool was_signed = stun::MessageView::parse(pending.bytes)->has(AttributeType::kUsername);
  if (((error == 401 && !was_signed) || error == 438) && pending.challenges < kChallengesMax) {
    adopt_challenge(message);
    return request(pending.method, std::move(pending.build), std::move(pending.done), pending.challenges + 1);
  }
  if (error == 0) {
    const bool valid = options_.sha256 ? stun::check_message_integrity_sha256(message, key().octets())
                                       : stun::check_message_integrity(message, key().octets());
    require(valid, "a client got a success without a valid integrity");
  }
  answered_request_sent_ = pending.first_sent;
  pending.done(error, &message);
}

void TurnSession::adopt_challenge(const stun::MessageView& message) {
  realm_ = as_text(message.value(AttributeType::kRealm).value());
  nonce_ = as_text(message.value(AttributeType::kNonce).value());
}

void TurnSession::put(Bytes bytes) {
  if (stream_) return stream_->write(Stream::kClient, bytes);
  world_.network.send(options_.inside, options_.server, {bytes.begin(), bytes.end()});
}

void TurnSession::on_datagram(Bytes bytes) {
  Octets copy{bytes.begin(), bytes.end()};
  on_message(copy);
}

void TurnSession::on_stream_bytes(Bytes bytes) {
  const auto self = shared_from_this();  // what arrives may end it
  while (!bytes.empty()) {
    const MutableBytes room = framer_.prepare();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    framer_.commit(size);
    bytes = bytes.subspan(size);
    for (;;) {
      const auto frame = framer_.next();
      require(frame.has_value(), "a client got a stream that is out of step");
      if (!*frame) break;
      on_message(**frame);
    }
  }
}

void TurnSession::on_message(MutableBytes bytes) {
  const auto self = shared_from_this();
  if (const auto channel_data = stun::parse_channel_data(bytes)) {
    const auto peer = channels_.find(channel_data->number);
    // It may come before the answer to the ChannelBind.
    if (peer != channels_.end() && !ended_) owner_.on_data(peer->second, channel_data->payload);
    return;
  }
  const auto message = stun::MessageView::parse(bytes);
  require(message.has_value(), "a client got something that is neither STUN nor ChannelData");
  if (message->message_class() != MessageClass::kIndication) return on_response(*message);
  const auto peer = message->value(AttributeType::kXorPeerAddress);
  const auto data = message->value(AttributeType::kData);
  require(message->method() == Method::kData && peer && data, "a client got an indication that is no Data");
  if (!ended_) owner_.on_data(stun::read_xor_address(*peer, message->transaction_id()).value(), *data);
}

}  // namespace causeway::simulation
