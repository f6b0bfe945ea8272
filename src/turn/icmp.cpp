// SPDX-License-Identifier: Apache-2.0
// ICMP errors from the way to a peer become Data indications with an ICMP attribute (RFC 8656 §11.5).
#include "causeway/stun/message.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;

namespace {

constexpr std::uint8_t kDestinationUnreachable = 3;  // ICMPv4
constexpr std::uint8_t kFragmentationNeeded = 4;     // a code of it
constexpr std::uint8_t kTimeExceeded = 11;
constexpr std::uint8_t kDestinationUnreachableV6 = 1;
constexpr std::uint8_t kPacketTooBigV6 = 2;
constexpr std::uint8_t kTimeExceededV6 = 3;

bool is_passed_on(AddressFamily family, const IcmpError& error) noexcept {
  if (family == AddressFamily::kIPv4) return error.type == kDestinationUnreachable || error.type == kTimeExceeded;
  return error.type >= kDestinationUnreachableV6 && error.type <= kTimeExceededV6;
}

bool has_mtu(AddressFamily family, const IcmpError& error) noexcept {
  if (family == AddressFamily::kIPv6) return error.type == kPacketTooBigV6;
  return error.type == kDestinationUnreachable && error.code == kFragmentationNeeded;
}

}  // namespace

Outcome Server::on_icmp_error(RelayId relay, const Endpoint& peer, const IcmpError& error, Now now,
                              ReplyBuffer& reply) noexcept {
  Allocation* allocation = allocations_.find(relay);
  if (allocation == nullptr) return drop(DropReason::kUnknownRelay);
  const AddressFamily family = peer.address.family();
  if (!is_passed_on(family, error)) return drop(DropReason::kIcmpType);
  // The peer's address counts, not that of the router that sends the error.
  if (allocation->permissions.find(peer.address, now.steady) == nullptr) return drop(DropReason::kNoPermission);
  if (allocation->mobility && allocation->mobility->is_away) return drop(DropReason::kClientAway);
  const TokenRate rate{kIcmpErrorsPerSecond};
  if (!allocation->icmp_errors.has_tokens(rate, now.steady)) return drop(DropReason::kIcmpBudget);
  allocation->icmp_errors.take(rate, 1, now.steady);

  // RFC 8656 §18.13: 16 reserved bits, seven of the type, nine of the code, and the MTU.
  std::array<std::uint8_t, 8> value{};
  store_be16(value.data() + 2, static_cast<std::uint16_t>((error.type << 9) | error.code));
  store_be32(value.data() + 4, has_mtu(family, error) ? error.data : 0);
  stun::MessageBuilder indication{reply, stun::Method::kData, stun::MessageClass::kIndication, next_transaction_id()};
  indication.add_xor_address(AttributeType::kXorPeerAddress, peer).add(AttributeType::kIcmp, value);
  return ToClient{allocation->client, indication.finish()};
}

}  // namespace causeway::turn
