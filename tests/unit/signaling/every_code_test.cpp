// SPDX-License-Identifier: Apache-2.0
// After all scripts of this program: every error code, close reason and reason to leave was produced by one of them.
#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {

Produced& produced() {
  static Produced all;
  return all;
}

namespace {

class EveryCode : public testing::Environment {
 public:
  void TearDown() override {
    const auto& unit = *testing::UnitTest::GetInstance();
    if (unit.test_to_run_count() != unit.total_test_count()) return;  // a filter is at work
    for (std::size_t i = 0; i < kErrorCodes; ++i) {
      const auto code = static_cast<ErrorCode>(i);
      EXPECT_TRUE(produced().errors.contains(code)) << "no test produces the error " << name(code);
    }
    for (std::size_t i = 0; i < kCloseReasons; ++i) {
      const auto reason = static_cast<CloseReason>(i);
      EXPECT_TRUE(produced().closes.contains(reason)) << "no test closes because of " << name(reason);
    }
    EXPECT_EQ(produced().left.size(), kLeftReasons);
  }
};

[[maybe_unused]] const auto* const kRegistered = testing::AddGlobalTestEnvironment(new EveryCode);

TEST(Codes, HaveDistinctNames) {
  std::set<std::string_view> errors;
  for (std::size_t i = 0; i < kErrorCodes; ++i)
    errors.insert(name(static_cast<ErrorCode>(i)));
  EXPECT_EQ(errors.size(), kErrorCodes);
  std::set<std::uint16_t> codes;
  for (std::size_t i = 0; i < kCloseReasons; ++i)
    codes.insert(websocket_close_code(static_cast<CloseReason>(i)));
  EXPECT_EQ(codes.size(), kCloseReasons);
}

}  // namespace
}  // namespace causeway::signaling
