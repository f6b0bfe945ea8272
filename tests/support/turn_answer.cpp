// SPDX-License-Identifier: Apache-2.0
#include "turn_answer.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <variant>

namespace causeway::test {

namespace {

// Of a Connect: it is written into the reply buffer, because its request is gone.
bool is_late_answer(Bytes bytes) {
  const auto message = stun::MessageView::parse(bytes);
  return message && message->method() == Method::kConnect;
}

}  // namespace

Answer Answer::of(const turn::Outcome& outcome, const PacketBuffer& packet) {
  Answer answer;
  if (const auto* drop = std::get_if<turn::Drop>(&outcome)) {
    answer.drop = drop->reason;
  } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
    EXPECT_FALSE(reply->bytes.empty()) << "a reply that did not fit";
    answer.reply = octets_of(reply->bytes);
  } else if (const auto* other = std::get_if<turn::ReplyFrom>(&outcome)) {
    EXPECT_FALSE(other->bytes.empty()) << "a reply that did not fit";
    answer.reply = octets_of(other->bytes);
    answer.from = other->server;
    answer.to = other->client;
  } else if (const auto* peer = std::get_if<turn::ToPeer>(&outcome)) {
    EXPECT_TRUE(packet.holds(peer->payload));
    answer.to_peer =
        PeerPacket{peer->relay, peer->peer, octets_of(peer->payload), peer->traffic_class, peer->dont_fragment};
  } else if (const auto* client = std::get_if<turn::ToClient>(&outcome)) {
    EXPECT_TRUE(packet.holds(client->bytes) || is_late_answer(client->bytes));
    answer.to_client = ClientPacket{client->client, octets_of(client->bytes), client->traffic_class};
  } else if (const auto* connect = std::get_if<turn::Connect>(&outcome)) {
    answer.connect = *connect;
  } else if (const auto* announced = std::get_if<turn::AnnounceConnection>(&outcome)) {
    answer.announced = announced->connection;
    answer.to_client = ClientPacket{announced->client, octets_of(announced->bytes)};
  } else if (const auto* bound = std::get_if<turn::BindStream>(&outcome)) {
    answer.bound = bound->connection;
    answer.reply = octets_of(bound->bytes);
  }
  return answer;
}

stun::MessageView Answer::message() const {
  const auto view = stun::MessageView::parse(reply ? Bytes{*reply} : Bytes{to_client.value().bytes});
  if (!view) throw std::logic_error("not a STUN message");
  return *view;
}

bool Answer::success() const {
  return reply && message().message_class() == MessageClass::kSuccessResponse;
}

int Answer::error() const {
  if (!reply) return -1;
  if (success()) return 0;
  const auto value = message().value(AttributeType::kErrorCode);
  return value ? stun::read_error_code(*value).value() : -2;
}

turn::ConnectionId Answer::connection_id() const {
  return turn::ConnectionId{stun::read_u32(message().value(AttributeType::kConnectionId).value()).value()};
}

std::string Answer::text(AttributeType type) const {
  return std::string{as_text(message().value(type).value())};
}

Endpoint Answer::address(AttributeType type) const {
  return stun::read_xor_address(message().value(type).value(), message().transaction_id()).value();
}

Endpoint Answer::plain_address(AttributeType type) const {
  return stun::read_address(message().value(type).value()).value();
}

std::vector<Endpoint> Answer::addresses(AttributeType type) const {
  std::vector<Endpoint> found;
  message().for_each([&](const stun::Attribute& attribute) {
    if (attribute.type == type)
      found.push_back(stun::read_xor_address(attribute.value, message().transaction_id()).value());
  });
  return found;
}

std::uint32_t Answer::lifetime() const {
  return stun::read_u32(message().value(AttributeType::kLifetime).value()).value();
}

std::vector<std::uint16_t> Answer::unknown_attributes() const {
  const Bytes value = message().value(AttributeType::kUnknownAttributes).value();
  std::vector<std::uint16_t> types;
  for (std::size_t i = 0; i + 1 < value.size(); i += 2)
    types.push_back(load_be16(value.data() + i));
  return types;
}

bool Answer::is_data_indication() const {
  return to_client && to_client->bytes.at(0) < 4 && message().method() == Method::kData &&
         message().message_class() == MessageClass::kIndication;
}

bool Answer::is_channel_data(std::uint16_t number) const {
  return to_client && load_be16(to_client->bytes.data()) == number;
}

}  // namespace causeway::test
