// SPDX-License-Identifier: Apache-2.0
#include "turn_client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace causeway::test {

TurnClient::TurnClient(TurnScript& of, const Endpoint& from, const Endpoint& server, turn::Transport transport)
    : script(of), ref{{from, server, transport}, 42} {
  transaction[0] = static_cast<std::uint8_t>(from.port >> 8);
  transaction[1] = static_cast<std::uint8_t>(from.port);
}

TurnClient& TurnClient::as(std::string user, std::string secret) {
  username = std::move(user);
  password = std::move(secret);
  return *this;
}

TurnClient& TurnClient::as_time_limited(std::string_view user, WallTime expires_at, std::string_view secret) {
  const auto credential = turn::make_time_limited_credential(secret, user, expires_at);
  return as(credential.username, credential.password);
}

stun::LongTermKey TurnClient::key() const {
  return algorithm == stun::PasswordAlgorithm::kSha256 ? stun::long_term_key_sha256(username, realm, password)
                                                       : stun::long_term_key_md5(username, realm, password);
}

Answer TurnClient::bare(Method method, const Add& add, MessageClass message_class) {
  return script.from_client(ref, build(method, message_class, add, false));
}

Octets TurnClient::build(Method method, MessageClass message_class, const Add& add, bool signed_with_key) {
  next_transaction();
  return build_again(method, message_class, add, signed_with_key);
}

Octets TurnClient::build_again(Method method, MessageClass message_class, const Add& add, bool signed_with_key) {
  Octets buffer(66000);
  MessageBuilder builder{buffer, method, message_class, transaction};
  if (add) add(builder);
  if (signed_with_key) {
    if (anonymous) {
      builder.add(AttributeType::kUserhash, stun::userhash(username, realm));
    } else {
      builder.add_text(AttributeType::kUsername, username);
    }
    builder.add_text(AttributeType::kRealm, realm);
    builder.add_text(AttributeType::kNonce, nonce);
    if (algorithm) {
      builder.add(AttributeType::kPasswordAlgorithms, std::array<std::uint8_t, 8>{0, 2, 0, 0, 0, 1, 0, 0});
      builder.add_u32(AttributeType::kPasswordAlgorithm, static_cast<std::uint32_t>(*algorithm) << 16);
      builder.add_message_integrity_sha256(key().octets());
    } else {
      builder.add_message_integrity(key().octets());
    }
  }
  if (with_fingerprint) builder.add_fingerprint();
  EXPECT_FALSE(builder.overflowed());
  return octets_of(builder.finish());
}

Answer TurnClient::request(Method method, const Add& add) {
  if (nonce.empty()) challenge();
  const Answer answer = script.from_client(ref, build(method, MessageClass::kRequest, add, true));
  check_reply(answer, method);
  return answer;
}

Answer TurnClient::retransmit(Method method, const Add& add) {
  const Answer answer = script.from_client(ref, build_again(method, MessageClass::kRequest, add, true));
  check_reply(answer, method);
  return answer;
}

void TurnClient::check_reply(const Answer& answer, Method method) const {
  ASSERT_TRUE(answer.reply);
  const auto message = answer.message();
  EXPECT_EQ(message.method(), method);
  EXPECT_EQ(message.transaction_id(), transaction);
  EXPECT_EQ(message.has(AttributeType::kFingerprint), with_fingerprint);
  EXPECT_EQ(stun::check_fingerprint(message),
            with_fingerprint ? stun::Fingerprint::kValid : stun::Fingerprint::kAbsent);
  if (message.has(AttributeType::kMessageIntegrity)) {
    EXPECT_FALSE(algorithm) << "RFC 8489 §9.2.4: SHA-256 for who named an algorithm";
    EXPECT_TRUE(stun::check_message_integrity(message, key().octets()));
  } else if (message.has(AttributeType::kMessageIntegritySha256)) {
    EXPECT_TRUE(algorithm);
    EXPECT_TRUE(stun::check_message_integrity_sha256(message, key().octets()));
  } else {
    const int error = answer.error();
    EXPECT_TRUE(error == 400 || error == 401 || error == 438) << error << " without integrity";
  }
}

void TurnClient::additional_ipv6(MessageBuilder& builder) {
  builder.add_u32(AttributeType::kAdditionalAddressFamily, 2u << 24);
}

Answer TurnClient::allocate(const Add& add) {
  return request(Method::kAllocate, [&add](MessageBuilder& builder) {
    udp(builder);
    if (add) add(builder);
  });
}

Answer TurnClient::allocate_lifetime(std::uint32_t seconds) {
  return allocate([seconds](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, seconds); });
}

Answer TurnClient::refresh(std::optional<std::uint32_t> seconds) {
  return request(Method::kRefresh, [seconds](MessageBuilder& builder) {
    if (seconds) builder.add_u32(AttributeType::kLifetime, *seconds);
  });
}

Answer TurnClient::refresh_family(AddressFamily family, std::optional<std::uint32_t> seconds) {
  return request(Method::kRefresh, refresh_of(family, seconds));
}

TurnClient::Add TurnClient::refresh_of(AddressFamily family, std::optional<std::uint32_t> seconds) {
  return [family, seconds](MessageBuilder& builder) {
    if (seconds) builder.add_u32(AttributeType::kLifetime, *seconds);
    builder.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(family) << 24);
  };
}

Answer TurnClient::permit_all(const std::vector<std::string_view>& peers) {
  return request(Method::kCreatePermission, [&peers](MessageBuilder& builder) {
    for (const auto peer : peers)
      builder.add_xor_address(AttributeType::kXorPeerAddress, at(peer, 9));
  });
}

Answer TurnClient::bind(std::uint16_t number, const Endpoint& peer) {
  return request(Method::kChannelBind, [&](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kChannelNumber, std::uint32_t{number} << 16);
    builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
  });
}

Answer TurnClient::send(const Endpoint& peer, std::string_view payload) {
  return bare(
      Method::kSend,
      [&](MessageBuilder& builder) {
        builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
        builder.add_text(AttributeType::kData, payload);
      },
      MessageClass::kIndication);
}

Answer TurnClient::channel_data(std::uint16_t number, std::string_view payload) {
  Octets packet(4);
  store_be16(packet.data(), number);
  store_be16(packet.data() + 2, static_cast<std::uint16_t>(payload.size()));
  packet.insert(packet.end(), payload.begin(), payload.end());
  return script.from_client(ref, packet);
}

void TurnClient::next_transaction() {
  for (std::size_t i = transaction.size(); i-- > 2;)
    if (++transaction[i] != 0) break;
}

}  // namespace causeway::test
