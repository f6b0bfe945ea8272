// SPDX-License-Identifier: Apache-2.0
#include "load/tally.hpp"

#include <algorithm>
#include <bit>

namespace causeway::load {

void LatencyHistogram::add(std::uint32_t value) noexcept {
  const std::uint32_t clamped = std::max(value, 64u);
  const auto power = static_cast<unsigned>(std::bit_width(clamped)) - 1;  // 6 to 31
  const auto step = (clamped >> (power - 5)) - kSteps;
  ++counts_[(power - 6) * kSteps + step];
  ++total_;
}

std::uint32_t LatencyHistogram::percentile(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size() && total_ > 0; ++i) {
    seen += counts_[i];
    if (seen > wanted) return static_cast<std::uint32_t>((i % kSteps + kSteps) << (i / kSteps + 1));
  }
  return 0;
}

}  // namespace causeway::load
