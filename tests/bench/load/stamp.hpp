// SPDX-License-Identifier: Apache-2.0
// What each packet of the load carries: who sent it, in which turn, as which one of its path, and when.
#pragma once

#include <cstddef>
#include <cstdint>

#include "causeway/base/bytes.hpp"

namespace causeway::load {

// Twelve octets, so that the transaction id of a Binding request holds one too.
struct Stamp {
  static constexpr std::size_t kBytes = 12;

  std::uint16_t turn = 0;
  std::uint16_t path = 0;
  std::uint32_t sequence = 0;     // within the path, from 0 in each turn
  std::uint32_t nanoseconds = 0;  // of the steady clock, the low 32 bits: good for latencies below four seconds

  void write(std::uint8_t* to) const noexcept {
    store_be16(to, turn);
    store_be16(to + 2, path);
    store_be32(to + 4, sequence);
    store_be32(to + 8, nanoseconds);
  }

  static Stamp read(const std::uint8_t* from) noexcept {
    return {load_be16(from), load_be16(from + 2), load_be32(from + 4), load_be32(from + 8)};
  }
};

// The last octet of a payload: a packet that was cut or glued does not end with it.
inline std::uint8_t trailer(const Stamp& stamp) noexcept {
  return static_cast<std::uint8_t>(stamp.sequence ^ 0xA5u);
}

}  // namespace causeway::load
