// SPDX-License-Identifier: Apache-2.0
#include "probe/stun_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"
#include "probe/advice.hpp"

namespace causeway::probe {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

constexpr std::size_t kMessageBytesMax = 2048;
constexpr std::size_t kPacketsMax = 64;  // those beyond are of nobody's interest
constexpr int kChallengesMax = 3;

// RFC 8489 §6.2.1.
constexpr std::chrono::milliseconds kRetransmissionTimeout{500};
constexpr int kRetransmissionsMax = 7;  // Rc
constexpr int kLastWaitTimeouts = 16;   // Rm

}  // namespace

std::optional<Endpoint> Response::xor_address(AttributeType type) const {
  const MessageView message = view();
  const auto value = message.value(type);
  return value ? stun::read_xor_address(*value, message.transaction_id()) : std::nullopt;
}

std::optional<std::uint32_t> Response::number(AttributeType type) const {
  const auto value = view().value(type);
  return value ? stun::read_u32(*value) : std::nullopt;
}

StunClient::Message StunClient::build(Method method, const AddAttributes& add_attributes, stun::TransactionId& id) {
  random_.fill(id);
  Message buffer(kMessageBytesMax);
  MessageBuilder builder{buffer, method, MessageClass::kRequest, id};
  add_attributes(builder);
  if (!key_.empty()) {
    builder.add_text(AttributeType::kUsername, credential_->username)
        .add_text(AttributeType::kRealm, realm_)
        .add_text(AttributeType::kNonce, nonce_)
        .add_message_integrity(key_);
  }
  buffer.resize(builder.finish().size());
  return buffer;
}

Result<Response, ProbeError> StunClient::request(Method method, const AddAttributes& add_attributes) {
  const TimePoint deadline = clock_() + timeout_;
  for (int challenges = 0;; ++challenges) {
    stun::TransactionId id{};
    const bool authenticated = !key_.empty();
    const Message request = build(method, add_attributes, id);
    if (request.empty()) return ProbeError{"the request is too long", "Use a shorter user name"};
    auto answer = exchange(request, id, deadline);
    if (!answer) return answer.error();
    const MessageView response = *MessageView::parse(*answer);
    if (response.message_class() == MessageClass::kSuccessResponse) {
      // RFC 8489 §9.2.5: an answer that does not prove the password is not the server's.
      if (authenticated && !stun::check_message_integrity(response, key_)) {
        return ProbeError{"the answer has no valid MESSAGE-INTEGRITY",
                          "Something between changes the packets, or another server answered"};
      }
      return Response{std::move(*answer)};
    }
    const auto value = response.value(AttributeType::kErrorCode);
    const std::uint16_t code = value ? stun::read_error_code(*value).value_or(0) : std::uint16_t{0};
    const bool challenge = (code == 401 && !authenticated) || (code == 438 && authenticated);
    if (!challenge || challenges == kChallengesMax || !take_challenge(response, code)) {
      return describe_error_response(method, code, authenticated, credential_.has_value());
    }
  }
}

bool StunClient::take_challenge(const MessageView& response, std::uint16_t code) {
  const auto realm = response.value(AttributeType::kRealm);
  const auto nonce = response.value(AttributeType::kNonce);
  if (!credential_ || !nonce || (code == 401 && !realm)) return false;
  if (realm) realm_ = as_text(*realm);
  nonce_ = as_text(*nonce);
  const stun::LongTermKey key = stun::long_term_key_md5(credential_->username, realm_, credential_->password);
  key_.assign(key.octets().begin(), key.octets().end());
  return true;
}

Result<StunClient::Message, ProbeError> StunClient::exchange(Bytes request, const stun::TransactionId& id,
                                                             TimePoint deadline) {
  Duration wait = kRetransmissionTimeout;
  int sent = 0;
  while (clock_() < deadline && sent < kRetransmissionsMax) {
    if (auto failed = transport_.send(request, deadline)) return *failed;
    ++sent;
    const bool last = transport_.is_reliable() || sent == kRetransmissionsMax;
    const Duration patience =
        transport_.is_reliable() ? timeout_ : (last ? kRetransmissionTimeout * kLastWaitTimeouts : wait);
    auto response = await_response(id, std::min(deadline, clock_() + patience));
    if (!response) return response.error();
    if (*response) return std::move(**response);
    if (last) break;
    wait *= 2;
  }
  return describe_silence(transport_.is_reliable(), sent);
}

Result<std::optional<StunClient::Message>, ProbeError> StunClient::await_response(const stun::TransactionId& id,
                                                                                  TimePoint deadline) {
  for (;;) {
    auto received = transport_.receive(deadline);
    if (!received) return received.error();
    if (!*received) return std::optional<Message>{};
    Message& message = **received;
    if (auto packet = relayed_packet(message)) {
      if (packets_.size() < kPacketsMax) packets_.push_back(*std::move(packet));
      continue;
    }
    const auto view = MessageView::parse(message);
    const bool is_response = view && (view->message_class() == MessageClass::kSuccessResponse ||
                                      view->message_class() == MessageClass::kErrorResponse);
    if (is_response && view->transaction_id() == id) return std::optional<Message>{std::move(message)};
  }
}

std::optional<RelayedPacket> StunClient::relayed_packet(Message& message) const {
  if (const auto data = stun::parse_channel_data(message)) {
    return RelayedPacket{std::nullopt, data->number, {data->payload.begin(), data->payload.end()}};
  }
  const auto view = MessageView::parse(message);
  if (!view || view->message_class() != MessageClass::kIndication || view->method() != Method::kData) {
    return std::nullopt;
  }
  const auto peer = view->value(AttributeType::kXorPeerAddress);
  const auto data = view->value(AttributeType::kData);
  if (!peer || !data) return std::nullopt;
  return RelayedPacket{stun::read_xor_address(*peer, view->transaction_id()), 0, {data->begin(), data->end()}};
}

std::optional<ProbeError> StunClient::send_indication(const Endpoint& peer, Bytes payload) {
  std::array<std::uint8_t, kMessageBytesMax> buffer{};
  stun::TransactionId id{};
  random_.fill(id);
  MessageBuilder builder{buffer, Method::kSend, MessageClass::kIndication, id};
  builder.add_xor_address(AttributeType::kXorPeerAddress, peer).add(AttributeType::kData, payload);
  return transport_.send(builder.finish(), clock_() + timeout_);
}

std::optional<ProbeError> StunClient::send_channel_data(std::uint16_t channel_number, Bytes payload) {
  Message message(stun::kChannelDataHeaderBytes);
  store_be16(message.data(), channel_number);
  store_be16(message.data() + 2, static_cast<std::uint16_t>(payload.size()));
  message.insert(message.end(), payload.begin(), payload.end());
  // RFC 8656 §12.5: padded over a stream; over UDP it may be.
  message.resize((message.size() + 3) / 4 * 4);
  return transport_.send(message, clock_() + timeout_);
}

Result<std::optional<RelayedPacket>, ProbeError> StunClient::receive(TimePoint deadline) {
  if (!packets_.empty()) {
    RelayedPacket packet = std::move(packets_.front());
    packets_.pop_front();
    return std::optional<RelayedPacket>{std::move(packet)};
  }
  for (;;) {
    auto received = transport_.receive(deadline);
    if (!received) return received.error();
    if (!*received) return std::optional<RelayedPacket>{};
    if (auto packet = relayed_packet(**received)) return packet;
  }
}

}  // namespace causeway::probe
