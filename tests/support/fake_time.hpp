// SPDX-License-Identifier: Apache-2.0
// The moment at which time begins in tests that set the clock themselves.
#pragma once

#include <chrono>

#include "causeway/base/time.hpp"

namespace causeway::test {

inline constexpr TimePoint kStart{std::chrono::seconds{1000}};
inline constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};  // 2027-01-15

}  // namespace causeway::test
