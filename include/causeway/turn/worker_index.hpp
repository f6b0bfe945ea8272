// SPDX-License-Identifier: Apache-2.0
// Which of several servers in one process (siblings.hpp), and numbers that say it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace causeway::turn {

using WorkerIndex = std::uint8_t;
inline constexpr std::size_t kWorkersMax = 64;

// Numbers of 32 bits that clients bring along have the index in the upper eight.
constexpr std::uint32_t with_worker(std::uint32_t number, WorkerIndex worker) noexcept {
  return (number & 0x00FFFFFF) | (std::uint32_t{worker} << 24);
}
constexpr WorkerIndex worker_of(std::uint32_t number) noexcept {
  return static_cast<WorkerIndex>(number >> 24);
}

}  // namespace causeway::turn
