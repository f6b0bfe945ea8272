// SPDX-License-Identifier: Apache-2.0
// The one place that reads the clocks; everything else is told the time.
#pragma once

#include "causeway/base/time.hpp"

namespace causeway {

inline Now read_clock() noexcept {
  return {std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()),
          std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now())};
}

}  // namespace causeway
