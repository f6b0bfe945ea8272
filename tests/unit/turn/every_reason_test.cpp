// SPDX-License-Identifier: Apache-2.0
// After all scripts of this program: every DropReason, and every error code that src/turn can answer, was produced.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

// The names behind "ErrorCode::" in src/turn.
std::set<std::string> error_codes_in_source() {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(SOURCE_DIR "/src/turn")) {
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string source = text.str();
    const std::regex code{"ErrorCode::(k[A-Za-z0-9]+)"};
    for (auto it = std::sregex_iterator(source.begin(), source.end(), code); it != std::sregex_iterator(); ++it)
      names.insert((*it)[1]);
  }
  return names;
}

const std::map<std::string, stun::ErrorCode> kCodes{
    {"kTryAlternate", stun::ErrorCode::kTryAlternate},
    {"kBadRequest", stun::ErrorCode::kBadRequest},
    {"kUnauthenticated", stun::ErrorCode::kUnauthenticated},
    {"kForbidden", stun::ErrorCode::kForbidden},
    {"kMobilityForbidden", stun::ErrorCode::kMobilityForbidden},
    {"kUnknownAttribute", stun::ErrorCode::kUnknownAttribute},
    {"kAllocationMismatch", stun::ErrorCode::kAllocationMismatch},
    {"kStaleNonce", stun::ErrorCode::kStaleNonce},
    {"kAddressFamilyNotSupported", stun::ErrorCode::kAddressFamilyNotSupported},
    {"kWrongCredentials", stun::ErrorCode::kWrongCredentials},
    {"kUnsupportedTransportProtocol", stun::ErrorCode::kUnsupportedTransportProtocol},
    {"kPeerAddressFamilyMismatch", stun::ErrorCode::kPeerAddressFamilyMismatch},
    {"kConnectionAlreadyExists", stun::ErrorCode::kConnectionAlreadyExists},
    {"kConnectionTimeoutOrFailure", stun::ErrorCode::kConnectionTimeoutOrFailure},
    {"kAllocationQuotaReached", stun::ErrorCode::kAllocationQuotaReached},
    {"kServerError", stun::ErrorCode::kServerError},
    {"kInsufficientCapacity", stun::ErrorCode::kInsufficientCapacity},
};

class EveryReason : public testing::Environment {
 public:
  void TearDown() override {
    const auto& unit = *testing::UnitTest::GetInstance();
    if (unit.test_to_run_count() != unit.total_test_count()) return;  // a filter is at work
    const Counters& all = test::merged_counters();
    for (std::size_t i = 0; i < kDropReasons; ++i)
      EXPECT_GT(all.drops[i], 0u) << "no test drops a packet for reason " << i;
    for (const std::string& name : error_codes_in_source()) {
      const auto code = kCodes.find(name);
      ASSERT_NE(code, kCodes.end()) << name << " is new in src/turn: name it here";
      EXPECT_GT(all.errors_by_code[static_cast<std::size_t>(code->second)], 0u) << "no test is answered " << name;
    }
  }
};

[[maybe_unused]] const auto* const kRegistered = testing::AddGlobalTestEnvironment(new EveryReason);

}  // namespace
}  // namespace causeway::turn
