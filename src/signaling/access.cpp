// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/access.hpp"

namespace causeway::signaling {

Result<AccessClaims, BadToken> NoAccessTokens::verify(std::string_view, Now) const {
  return BadToken{ErrorCode::kBadToken, "This server takes no tokens: its rooms are open."};
}

bool covers(std::string_view pattern, std::string_view room) noexcept {
  if (!pattern.ends_with('*')) return pattern == room;
  pattern.remove_suffix(1);
  return room.starts_with(pattern);
}

}  // namespace causeway::signaling
