// SPDX-License-Identifier: Apache-2.0
// Randomness as an argument. The running daemon hands in a CSPRNG, a test a script.
#pragma once

#include <array>
#include <cstdint>

#include "causeway/base/bytes.hpp"

namespace causeway {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint64_t next() {
    std::array<std::uint8_t, 8> octets{};
    fill(octets);
    return (std::uint64_t{load_be32(octets.data())} << 32) | load_be32(octets.data() + 4);
  }

  // Uniform in [0, bound); bound > 0. The bias of the modulo is below 2^-32 for the bounds in use.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() % bound); }
};

}  // namespace causeway
