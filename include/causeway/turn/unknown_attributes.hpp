// SPDX-License-Identifier: Apache-2.0
// Which comprehension-required attributes this server knows, and the 420 that answers a request with any other
// (RFC 8489 §6.3.1). One that is known but out of place is ignored (§6.3).
#pragma once

#include <algorithm>
#include <optional>

#include "causeway/stun/message.hpp"
#include "causeway/turn/stun_error.hpp"

namespace causeway::turn {

bool is_understood(stun::AttributeType type) noexcept;

// nullopt when is_known(type) holds for every attribute.
template <class IsKnown>
std::optional<StunError> check_unknown_attributes(const stun::MessageView& message, IsKnown is_known) {
  StunError error{stun::ErrorCode::kUnknownAttribute};
  message.for_each([&](const stun::Attribute& attribute) {
    const auto type = static_cast<std::uint16_t>(attribute.type);
    auto& unknown = error.unknown_attributes;
    if (is_known(attribute.type) || unknown.size() == unknown.capacity()) return;
    if (std::find(unknown.begin(), unknown.end(), type) == unknown.end()) unknown.push_back(type);
  });
  if (error.unknown_attributes.empty()) return std::nullopt;
  return error;
}

}  // namespace causeway::turn
