// SPDX-License-Identifier: Apache-2.0
// What several tests of messages need.
#pragma once

#include <vector>

#include "causeway/stun/message.hpp"

namespace causeway::test {

inline constexpr stun::TransactionId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

inline std::vector<stun::AttributeType> types(const stun::MessageView& message) {
  std::vector<stun::AttributeType> found;
  message.for_each([&](const stun::Attribute& attribute) { found.push_back(attribute.type); });
  return found;
}

}  // namespace causeway::test
