// SPDX-License-Identifier: Apache-2.0
// The client side of STUN and TURN over one transport: requests with retransmission (RFC 8489 §6.2.1), the long-term
// credential mechanism (§9.2), Send and Data indications and ChannelData (RFC 8656 §11, §12). One request at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/random.hpp"
#include "causeway/base/result.hpp"
#include "causeway/base/time.hpp"
#include "causeway/stun/message.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

struct Credential {
  std::string username;
  std::string password;
};

// A success response; owns its octets.
class Response {
 public:
  explicit Response(std::vector<std::uint8_t> octets) : octets_(std::move(octets)) {}
  stun::MessageView view() const { return *stun::MessageView::parse(octets_); }
  std::optional<Endpoint> xor_address(stun::AttributeType type) const;
  std::optional<std::uint32_t> number(stun::AttributeType type) const;

 private:
  std::vector<std::uint8_t> octets_;  // has been parsed once without an error
};

// What came through the relay.
struct RelayedPacket {
  std::optional<Endpoint> peer;      // of a Data indication
  std::uint16_t channel_number = 0;  // of ChannelData
  std::vector<std::uint8_t> payload;
};

class StunClient {
 public:
  using Clock = std::function<TimePoint()>;
  using AddAttributes = std::function<void(stun::MessageBuilder&)>;

  // `timeout` is for one request with everything that it takes.
  StunClient(Transport& transport, RandomSource& random, Clock clock, Duration timeout)
      : transport_(transport), random_(random), clock_(std::move(clock)), timeout_(timeout) {}

  // With a credential a 401 is answered once, and every later request is authenticated from the start.
  void set_credential(Credential credential) { credential_ = std::move(credential); }

  Result<Response, ProbeError> request(stun::Method method, const AddAttributes& add_attributes);

  std::optional<ProbeError> send_indication(const Endpoint& peer, Bytes payload);
  std::optional<ProbeError> send_channel_data(std::uint16_t channel_number, Bytes payload);
  // The next packet, nullopt when none has come by the deadline. Responses that come late are dropped.
  Result<std::optional<RelayedPacket>, ProbeError> receive(TimePoint deadline);

 private:
  using Message = std::vector<std::uint8_t>;
  Message build(stun::Method method, const AddAttributes& add_attributes, stun::TransactionId& id);
  Result<Message, ProbeError> exchange(Bytes request, const stun::TransactionId& id, TimePoint deadline);
  Result<std::optional<Message>, ProbeError> await_response(const stun::TransactionId& id, TimePoint deadline);
  // Takes realm and nonce of a 401 or 438; false where the request cannot be repeated with them.
  bool take_challenge(const stun::MessageView& response, std::uint16_t code);
  std::optional<RelayedPacket> relayed_packet(Message& message) const;

  Transport& transport_;
  RandomSource& random_;
  Clock clock_;
  Duration timeout_;
  std::optional<Credential> credential_;
  std::string realm_;
  std::string nonce_;
  std::vector<std::uint8_t> key_;      // empty: requests go without authentication
  std::deque<RelayedPacket> packets_;  // that came while a response was awaited
};

}  // namespace causeway::probe
