// SPDX-License-Identifier: Apache-2.0
// The client side of STUN and TURN over one transport: requests with retransmission (RFC 8489 §6.2.1), the long-term
// credential mechanism (§9.2), Send and Data indications and ChannelData (RFC 8656 §11, §12). One request at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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
  std::optional<Endpoint> address(stun::AttributeType type) const;  // of those that are not hidden by an XOR
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

  // What requests are authenticated with: "SHA-256" where the server offers it, else "MD5"; empty before a challenge.
  std::string_view password_algorithm() const noexcept;

  std::optional<ProbeError> send_indication(const Endpoint& peer, Bytes payload);
  std::optional<ProbeError> send_channel_data(std::uint16_t channel_number, Bytes payload);
  // The next packet, nullopt when none has come by the deadline. Responses that come late are dropped.
  Result<std::optional<RelayedPacket>, ProbeError> receive(TimePoint deadline);

 private:
  using Message = std::vector<std::uint8_t>;
  Message build(stun::Method method, const AddAttributes& add_attributes, stun::TransactionId& id);
  Result<Message, ProbeError> exchange(Bytes request, const stun::TransactionId& id, TimePoint deadline);
  Result<std::optional<Message>, ProbeError> await_response(const stun::TransactionId& id, TimePoint deadline);
  // The success response that `request` wants, or what an error response means; nullopt: ask once more.
  std::optional<Result<Response, ProbeError>> judge(Message answer, bool authenticated, bool may_ask_again);
  // Requests say how the key was made, and are authenticated with MESSAGE-INTEGRITY-SHA256 (RFC 8489 §9.2.4).
  bool names_algorithm() const noexcept { return !password_algorithms_.empty(); }
  bool is_authentic(const stun::MessageView& response) const;
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
  std::vector<std::uint8_t> key_;                  // empty: requests go without authentication
  std::vector<std::uint8_t> password_algorithms_;  // the list of the server, as it came
  bool sha256_ = false;                            // the key is made with it, else with MD5
  std::deque<RelayedPacket> packets_;              // that came while a response was awaited
};

}  // namespace causeway::probe
