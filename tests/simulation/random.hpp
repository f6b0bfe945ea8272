// SPDX-License-Identifier: Apache-2.0
// All chance of a simulated world, from one seed (SplitMix64). The server gets a source of its own, so that it may ask
// for more or less without changing what happens around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "causeway/base/random.hpp"
#include "causeway/base/time.hpp"

namespace causeway::simulation {

class Random : public RandomSource {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  void fill(MutableBytes out) override {
    for (std::size_t i = 0; i < out.size(); i += 8) {
      const std::uint64_t value = draw();
      for (std::size_t j = i; j < std::min(i + 8, out.size()); ++j)
        out[j] = static_cast<std::uint8_t>(value >> (56 - 8 * (j - i)));
    }
  }
  std::uint64_t draw() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((draw() >> 32) % bound); }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  Duration between(Duration low, Duration high) {
    return low + Duration{static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>((high - low).count() + 1))};
  }
  bool chance(double probability) { return static_cast<double>(draw() >> 11) * 0x1p-53 < probability; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(static_cast<std::uint32_t>(all.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace causeway::simulation
