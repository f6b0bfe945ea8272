// SPDX-License-Identifier: Apache-2.0
// The last messages to one member, kept so that a new connection of the same member can get what the lost one did not
// deliver. Bounded by number and by bytes: what does not fit any more is forgotten, oldest first. What all buffers keep
// is bounded by their ReplayPool, which may drop a message: then those before it are of no use either. The member owns
// it. Messages of a broadcast are shared by all buffers that hold them, and count in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "causeway/signaling/replay_pool.hpp"

namespace causeway::signaling {

struct ReplayLimits {
  std::size_t messages_max = 256;
  std::size_t bytes_max = 256 * 1024;
  std::size_t bytes_total_max = 256 * 1024 * 1024;  // of all buffers
};

class ReplayBuffer {
 public:
  struct Entry {
    std::uint64_t seq = 0;
    std::shared_ptr<const ReplayPool::Kept> kept;
  };

  explicit ReplayBuffer(const ReplayLimits& limits) noexcept : limits_(limits) {}  // which outlive the buffer
  ReplayBuffer(const ReplayBuffer&) = delete;
  ReplayBuffer& operator=(const ReplayBuffer&) = delete;

  // `seq` is one more than that of the message before.
  void push(std::uint64_t seq, std::shared_ptr<const ReplayPool::Kept> kept);
  // The member has everything up to `seq`.
  void forget_until(std::uint64_t seq) noexcept;

  // What is kept, oldest first, without a hole: forgets the rest first.
  std::span<const Entry> whole_entries() noexcept;

 private:
  std::span<const Entry> entries() const noexcept { return std::span(entries_).subspan(forgotten_); }
  void forget_oldest() noexcept;

  const ReplayLimits& limits_;
  std::size_t bytes_ = 0;
  // Most buffers are empty or nearly so: a deque takes half a KiB for that.
  std::vector<Entry> entries_;
  std::size_t forgotten_ = 0;  // of entries_: the first ones, which go together
};

}  // namespace causeway::signaling
