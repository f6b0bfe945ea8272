// SPDX-License-Identifier: Apache-2.0
// A client that speaks to the turn::Server of a TurnScript.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"
#include "turn_script.hpp"

namespace causeway::test {

// It answers the 401 challenge by itself and checks the integrity of each reply.
class TurnClient {
 public:
  using Add = std::function<void(MessageBuilder&)>;

  TurnScript& script;
  turn::ClientRef ref;
  std::string username = "alice";
  std::string password = "wonder land";
  std::string realm{kRealm};
  std::string nonce;
  stun::TransactionId transaction{};  // of the last request
  bool with_fingerprint = false;
  std::optional<stun::PasswordAlgorithm> algorithm{};  // set: a client of RFC 8489, which names it
  bool anonymous = false;                              // USERHASH instead of USERNAME

  explicit TurnClient(TurnScript& of, const Endpoint& from = at("198.51.100.7", 40000),
                      const Endpoint& server = at("192.0.2.10", 3478),
                      turn::Transport transport = turn::Transport::kUdp);

  TurnClient& as(std::string user, std::string secret);
  TurnClient& as_time_limited(std::string_view user, WallTime expires_at, std::string_view secret = kSecret);
  stun::LongTermKey key() const;

  // Without any credential.
  Answer bare(Method method, const Add& add = {}, MessageClass message_class = MessageClass::kRequest);
  Octets build(Method method, MessageClass message_class, const Add& add, bool signed_with_key);
  // In the transaction of the last request.
  Octets build_again(Method method, MessageClass message_class, const Add& add, bool signed_with_key);

  void challenge() { nonce = bare(Method::kAllocate, udp).text(AttributeType::kNonce); }
  Answer request(Method method, const Add& add = {});
  // The last request once more, octet for octet the same transaction.
  Answer retransmit(Method method, const Add& add = {});
  void check_reply(const Answer& answer, Method method) const;

  static void udp(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedTransport, 17u << 24); }
  static void tcp(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedTransport, 6u << 24); }
  static void ipv6(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedAddressFamily, 2u << 24); }
  static void additional_ipv6(MessageBuilder& builder);
  Answer allocate(const Add& add = {});
  Answer allocate_dual() { return allocate(additional_ipv6); }
  Answer allocate_lifetime(std::uint32_t seconds);
  Answer refresh(std::optional<std::uint32_t> seconds = std::nullopt);
  Answer refresh_family(AddressFamily family, std::optional<std::uint32_t> seconds = std::nullopt);
  static Add refresh_of(AddressFamily family, std::optional<std::uint32_t> seconds);
  Answer permit_all(const std::vector<std::string_view>& peers);
  template <class... Peers>
  Answer permit(const Peers&... peers) {
    return permit_all({std::string_view{peers}...});
  }
  Answer bind(std::uint16_t number, const Endpoint& peer);
  Answer send(const Endpoint& peer, std::string_view payload);
  Answer channel_data(std::uint16_t number, std::string_view payload);

  const turn::Allocation* allocation() const { return script.server().allocations().find(ref.five_tuple); }
  turn::RelayId relay() const { return allocation()->relays.front().id; }
  turn::RelayId relay(AddressFamily family) const { return allocation()->relay_for(family)->id; }

 private:
  void next_transaction();
};

}  // namespace causeway::test
