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
using stun::PasswordAlgorithm;

constexpr std::size_t kMessageBytesMax = 2048;
constexpr std::size_t kPacketsMax = 64;  // those beyond are of nobody's interest
constexpr int kChallengesMax = 3;

// RFC 8489 §6.2.1.
constexpr std::chrono::milliseconds kRetransmissionTimeout{500};
constexpr int kRetransmissionsMax = 7;  // Rc
constexpr int kLastWaitTimeouts = 16;   // Rm

// RFC 8489 §9.2: a nonce that begins with the cookie has 24 bits behind it that say what the server can do; the first
// one is "password algorithms".
bool promises_password_algorithms(std::string_view nonce) {
  constexpr std::string_view kCookie = "obMatJos2";
  constexpr std::string_view kWithFirstBit = "ghijklmnopqrstuvwxyz0123456789+/";  // base64 of 32 to 63
  return nonce.size() > kCookie.size() && nonce.starts_with(kCookie) &&
         kWithFirstBit.find(nonce[kCookie.size()]) != std::string_view::npos;
}

// RFC 8489 §9.2.4: the client does not go on with such a challenge.
bool was_bid_down(const MessageView& response) {
  const auto nonce = response.value(AttributeType::kNonce);
  return nonce && promises_password_algorithms(as_text(*nonce)) && !response.has(AttributeType::kPasswordAlgorithms);
}

// RFC 8489 §14.11: number and length of parameters, 16 bits each, then these, padded. The first known one counts.
std::optional<PasswordAlgorithm> choose(Bytes algorithms) {
  while (algorithms.size() >= 4) {
    const std::uint16_t number = load_be16(algorithms.data());
    const std::size_t parameters = load_be16(algorithms.data() + 2);
    for (const auto known : {PasswordAlgorithm::kSha256, PasswordAlgorithm::kMd5}) {
      if (number == static_cast<std::uint16_t>(known) && parameters == 0) return known;
    }
    algorithms = algorithms.subspan(std::min(algorithms.size(), 4 + (parameters + 3) / 4 * 4));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Endpoint> Response::address(AttributeType type) const {
  const auto value = view().value(type);
  return value ? stun::read_address(*value) : std::nullopt;
}

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
        .add_text(AttributeType::kNonce, nonce_);
    // RFC 8489 §9.2.4: the list goes back as it came, so that the server sees a change of it.
    if (names_algorithm()) {
      const auto algorithm = sha256_ ? PasswordAlgorithm::kSha256 : PasswordAlgorithm::kMd5;
      builder.add_u32(AttributeType::kPasswordAlgorithm, static_cast<std::uint32_t>(algorithm) << 16)
          .add(AttributeType::kPasswordAlgorithms, password_algorithms_);
    }
    if (names_algorithm()) {
      builder.add_message_integrity_sha256(key_);
    } else {
      builder.add_message_integrity(key_);
    }
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
    auto result = judge(std::move(*answer), authenticated, challenges < kChallengesMax);
    if (result) return *std::move(result);
  }
}

std::optional<Result<Response, ProbeError>> StunClient::judge(Message answer, bool authenticated, bool may_ask_again) {
  using Judgement = Result<Response, ProbeError>;
  const MessageView response = *MessageView::parse(answer);
  if (response.message_class() == MessageClass::kSuccessResponse) {
    // RFC 8489 §9.2.5: an answer that does not prove the password is not the server's.
    if (authenticated && !is_authentic(response)) {
      return Judgement{ProbeError{"the answer has no valid MESSAGE-INTEGRITY",
                                  "Something between changes the packets, or another server answered"}};
    }
    return Judgement{Response{std::move(answer)}};
  }
  const auto value = response.value(AttributeType::kErrorCode);
  const std::uint16_t code = value ? stun::read_error_code(*value).value_or(0) : std::uint16_t{0};
  const bool challenge = (code == 401 && !authenticated) || (code == 438 && authenticated);
  if (challenge && was_bid_down(response)) {
    return Judgement{ProbeError{"the challenge promises a list of password algorithms and has none",
                                "Something between the server and here removes it, to have the weaker one used"}};
  }
  if (challenge && may_ask_again && take_challenge(response, code)) return std::nullopt;
  ProbeError error = describe_error_response(response.method(), code, authenticated, credential_.has_value());
  if (code != 300) return Judgement{std::move(error)};
  if (const auto server = response.value(AttributeType::kAlternateServer)) {
    error.alternate_server = stun::read_address(*server);
  }
  if (const auto domain = response.value(AttributeType::kAlternateDomain)) error.alternate_domain = as_text(*domain);
  return Judgement{std::move(error)};
}

bool StunClient::is_authentic(const MessageView& response) const {
  return names_algorithm() ? stun::check_message_integrity_sha256(response, key_)
                           : stun::check_message_integrity(response, key_);
}

std::string_view StunClient::password_algorithm() const noexcept {
  if (key_.empty()) return {};
  return sha256_ ? "SHA-256" : "MD5";
}

bool StunClient::take_challenge(const MessageView& response, std::uint16_t code) {
  const auto realm = response.value(AttributeType::kRealm);
  const auto nonce = response.value(AttributeType::kNonce);
  if (!credential_ || !nonce || (code == 401 && !realm)) return false;
  if (realm) realm_ = as_text(*realm);
  nonce_ = as_text(*nonce);
  const Bytes algorithms = response.value(AttributeType::kPasswordAlgorithms).value_or(Bytes{});
  const auto chosen = choose(algorithms);
  sha256_ = chosen == PasswordAlgorithm::kSha256;
  password_algorithms_.assign(algorithms.begin(), chosen ? algorithms.end() : algorithms.begin());
  const auto make_key = sha256_ ? stun::long_term_key_sha256 : stun::long_term_key_md5;
  const stun::LongTermKey key = make_key(credential_->username, realm_, credential_->password);
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
