// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/authenticator.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

Result<Identity, StunError> Authenticator::authenticate(const stun::MessageView& request, const IpAddress& client,
                                                        Now now) const {
  // RFC 8489 §9.2.4: the checks in their order, but for one.
  if (!request.has(AttributeType::kMessageIntegrity)) return StunError{ErrorCode::kUnauthenticated};
  const auto username = request.value(AttributeType::kUsername);
  const auto realm = request.value(AttributeType::kRealm);
  const auto nonce = request.value(AttributeType::kNonce);
  if (!username || !realm || !nonce) return StunError{ErrorCode::kBadRequest};
  // Deviation: the nonce before the user and the integrity, as in RFC 5389 §10.2.2, where RFC 8489 has it last. Only a
  // nonce proves that the sender's address is its own, and a secret's work is not done for a stranger.
  if (!nonces_.is_valid(as_text(*nonce), this->realm(), client, now.wall)) {
    return StunError{ErrorCode::kStaleNonce};
  }
  for (auto& candidate : credentials_->find(as_text(*username), now.wall)) {
    if (stun::check_message_integrity(request, candidate.key.octets())) {
      return Identity{std::string{as_text(*username)}, std::move(candidate)};
    }
  }
  return StunError{ErrorCode::kUnauthenticated};
}

}  // namespace causeway::turn
