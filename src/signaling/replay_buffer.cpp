// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/replay_buffer.hpp"

#include <utility>

namespace causeway::signaling {

void ReplayBuffer::push(std::uint64_t seq, std::shared_ptr<const ServerMessage> message) {
  const std::size_t bytes = approximate_bytes(*message);
  entries_.push_back({seq, std::move(message), bytes});
  bytes_ += bytes;
  bytes_total_ += bytes;
  const auto is_over = [this] {
    return entries_.size() > limits_.messages_max || bytes_ > limits_.bytes_max ||
           bytes_total_ > limits_.bytes_total_max;
  };
  while (!entries_.empty() && is_over())
    forget_oldest();
}

void ReplayBuffer::forget_until(std::uint64_t seq) noexcept {
  while (!entries_.empty() && entries_.front().seq <= seq)
    forget_oldest();
}

void ReplayBuffer::forget_oldest() noexcept {
  bytes_ -= entries_.front().bytes;
  bytes_total_ -= entries_.front().bytes;
  entries_.pop_front();
}

}  // namespace causeway::signaling
