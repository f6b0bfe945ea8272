// SPDX-License-Identifier: Apache-2.0
// Time as an argument. The core never reads a clock: whoever calls it says what time it is.
#pragma once

#include <chrono>

namespace causeway {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // for lifetimes and deadlines
using WallTime = std::chrono::sys_seconds;                                       // for the expiry of credentials

struct Now {
  TimePoint steady;
  WallTime wall;
};

}  // namespace causeway
