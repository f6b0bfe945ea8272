// SPDX-License-Identifier: Apache-2.0
// The numbers of STUN and TURN: methods, classes, attributes and error codes as the IANA registry lists them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::stun {

inline constexpr std::uint32_t kMagicCookie = 0x2112A442;
inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr std::size_t kAttributeHeaderBytes = 4;
inline constexpr std::size_t kMessageBytesMax = kHeaderBytes + 65532;

using TransactionId = std::array<std::uint8_t, 12>;

// RFC 8489 §5: the two class bits of the message type.
enum class MessageClass : std::uint8_t { kRequest = 0, kIndication = 1, kSuccessResponse = 2, kErrorResponse = 3 };

// RFC 8489 §18.2, RFC 8656 §17, RFC 6062 §6.1. A parsed message may carry any other 12-bit value.
enum class Method : std::uint16_t {
  kBinding = 0x001,
  kAllocate = 0x003,
  kRefresh = 0x004,
  kSend = 0x006,
  kData = 0x007,
  kCreatePermission = 0x008,
  kChannelBind = 0x009,
  kConnect = 0x00A,
  kConnectionBind = 0x00B,
  kConnectionAttempt = 0x00C,
};

// RFC 8489 §18.3, RFC 8656 §18, RFC 6062 §6.2, RFC 5780 §7, RFC 8016 §4.
enum class AttributeType : std::uint16_t {
  kMappedAddress = 0x0001,
  kChangeRequest = 0x0003,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kChannelNumber = 0x000C,
  kLifetime = 0x000D,
  kXorPeerAddress = 0x0012,
  kData = 0x0013,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kXorRelayedAddress = 0x0016,
  kRequestedAddressFamily = 0x0017,
  kEvenPort = 0x0018,
  kRequestedTransport = 0x0019,
  kDontFragment = 0x001A,
  kMessageIntegritySha256 = 0x001C,
  kPasswordAlgorithm = 0x001D,
  kUserhash = 0x001E,
  kXorMappedAddress = 0x0020,
  kReservationToken = 0x0022,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kPadding = 0x0026,
  kResponsePort = 0x0027,
  kConnectionId = 0x002A,
  kAdditionalAddressFamily = 0x8000,
  kAddressErrorCode = 0x8001,
  kPasswordAlgorithms = 0x8002,
  kAlternateDomain = 0x8003,
  kIcmp = 0x8004,
  kSoftware = 0x8022,
  kAlternateServer = 0x8023,
  kFingerprint = 0x8028,
  kResponseOrigin = 0x802B,
  kOtherAddress = 0x802C,
  kMobilityTicket = 0x8030,
  // The two of RFC 8656's dual allocation as its drafts numbered them and coturn's clients did until 2025.
  kAdditionalAddressFamilyOfDrafts = 0x8032,
  kAddressErrorCodeOfDrafts = 0x8033,
};

// RFC 8489 §14: types below 0x8000 must be understood, or the message fails.
constexpr bool is_comprehension_required(AttributeType type) noexcept {
  return static_cast<std::uint16_t>(type) < 0x8000;
}

// RFC 8489 §14.8, RFC 8656 §19, RFC 6062 §6.3, RFC 8016 §3.4.
enum class ErrorCode : std::uint16_t {
  kTryAlternate = 300,
  kBadRequest = 400,
  kUnauthenticated = 401,
  kForbidden = 403,
  kMobilityForbidden = 405,
  kUnknownAttribute = 420,
  kAllocationMismatch = 437,
  kStaleNonce = 438,
  kAddressFamilyNotSupported = 440,
  kWrongCredentials = 441,
  kUnsupportedTransportProtocol = 442,
  kPeerAddressFamilyMismatch = 443,
  kConnectionAlreadyExists = 446,
  kConnectionTimeoutOrFailure = 447,
  kAllocationQuotaReached = 486,
  kServerError = 500,
  kInsufficientCapacity = 508,
};

// RFC 8489 §18.5.1.
enum class PasswordAlgorithm : std::uint16_t { kMd5 = 0x0001, kSha256 = 0x0002 };

// For people who read captures. Those that strangers get (401, 438) are short: with a realm of 20 octets the answer
// then has at most 2.5 times the size of the question, IP and UDP headers included.
std::string_view reason_phrase(ErrorCode code) noexcept;

// RFC 8489 §5, figure 3: the class bits sit at 4 and 8, between the method's bits.
constexpr std::uint16_t message_type(Method method, MessageClass message_class) noexcept {
  const auto m = static_cast<unsigned>(method);
  const auto c = static_cast<unsigned>(message_class);
  return static_cast<std::uint16_t>((m & 0x000F) | ((m & 0x0070) << 1) | ((m & 0x0F80) << 2) | ((c & 1) << 4) |
                                    ((c & 2) << 7));
}

}  // namespace causeway::stun
