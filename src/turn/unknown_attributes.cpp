// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/unknown_attributes.hpp"

namespace causeway::turn {

using stun::AttributeType;

bool is_understood(AttributeType type) noexcept {
  switch (type) {
    case AttributeType::kMappedAddress:  // the first five belong in responses
    case AttributeType::kErrorCode:
    case AttributeType::kUnknownAttributes:
    case AttributeType::kXorMappedAddress:
    case AttributeType::kXorRelayedAddress:
    case AttributeType::kUsername:
    case AttributeType::kMessageIntegrity:
    case AttributeType::kMessageIntegritySha256:
    case AttributeType::kChannelNumber:
    case AttributeType::kLifetime:
    case AttributeType::kXorPeerAddress:
    case AttributeType::kData:
    case AttributeType::kRealm:
    case AttributeType::kNonce:
    case AttributeType::kRequestedAddressFamily:
    case AttributeType::kEvenPort:
    case AttributeType::kRequestedTransport:
    case AttributeType::kDontFragment:
    case AttributeType::kReservationToken:
    case AttributeType::kPasswordAlgorithm:
    case AttributeType::kUserhash:
    case AttributeType::kConnectionId:
      return true;
    default:
      return !is_comprehension_required(type);
  }
}

}  // namespace causeway::turn
