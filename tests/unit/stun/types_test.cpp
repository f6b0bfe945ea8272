// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/types.hpp"

#include <gtest/gtest.h>

namespace causeway::stun {
namespace {

TEST(MessageType, IsThatOfTheRegistries) {
  EXPECT_EQ(message_type(Method::kBinding, MessageClass::kRequest), 0x0001);
  EXPECT_EQ(message_type(Method::kBinding, MessageClass::kIndication), 0x0011);
  EXPECT_EQ(message_type(Method::kBinding, MessageClass::kSuccessResponse), 0x0101);
  EXPECT_EQ(message_type(Method::kAllocate, MessageClass::kErrorResponse), 0x0113);
  EXPECT_EQ(message_type(Method::kSend, MessageClass::kIndication), 0x0016);
  EXPECT_EQ(message_type(Method::kData, MessageClass::kIndication), 0x0017);
  EXPECT_EQ(message_type(Method::kConnectionAttempt, MessageClass::kIndication), 0x001C);
  EXPECT_EQ(message_type(static_cast<Method>(0xFFF), MessageClass::kErrorResponse), 0x3FFF);
}

TEST(AttributeType, UpperHalfIsOptional) {
  EXPECT_TRUE(is_comprehension_required(AttributeType::kUsername));
  EXPECT_TRUE(is_comprehension_required(static_cast<AttributeType>(0x7FFF)));
  EXPECT_FALSE(is_comprehension_required(AttributeType::kAdditionalAddressFamily));
  EXPECT_FALSE(is_comprehension_required(AttributeType::kFingerprint));
}

TEST(ErrorCode, HasAShortReason) {
  for (unsigned number = 300; number < 700; ++number) {
    EXPECT_LE(reason_phrase(static_cast<ErrorCode>(number)).size(), 32u) << number;
  }
  EXPECT_EQ(reason_phrase(ErrorCode::kUnauthenticated), "Unauth");
  EXPECT_EQ(reason_phrase(ErrorCode::kStaleNonce), "Stale");
  EXPECT_EQ(reason_phrase(static_cast<ErrorCode>(699)), "");
}

}  // namespace
}  // namespace causeway::stun
