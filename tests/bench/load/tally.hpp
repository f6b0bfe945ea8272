// SPDX-License-Identifier: Apache-2.0
// What came of one turn.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace causeway::load {

// Counts in steps of about 3 %, from 64 ns to four seconds.
class LatencyHistogram {
 public:
  void add(std::uint32_t nanoseconds) noexcept;
  std::uint32_t percentile(double share) const noexcept;  // 0 when there is none

 private:
  static constexpr std::size_t kSteps = 32;  // from one power of two to the next
  std::array<std::uint32_t, 27 * kSteps> counts_{};
  std::uint64_t total_ = 0;
};

struct Tally {
  std::uint64_t sent = 0, refused = 0, delivered = 0, lost = 0, late = 0, wrong = 0;
  std::uint64_t cpu_nanoseconds = 0, wall_nanoseconds = 0;
  LatencyHistogram latency;
};

}  // namespace causeway::load
