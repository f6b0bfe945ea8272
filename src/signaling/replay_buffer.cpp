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
    return entries().size() > limits_.messages_max || bytes_ > limits_.bytes_max ||
           bytes_total_ > limits_.bytes_total_max;
  };
  while (!entries().empty() && is_over())
    forget_oldest();
}

void ReplayBuffer::forget_until(std::uint64_t seq) noexcept {
  while (!entries().empty() && entries().front().seq <= seq)
    forget_oldest();
}

void ReplayBuffer::forget_oldest() noexcept {
  Entry& oldest = entries_[forgotten_++];
  bytes_ -= oldest.bytes;
  bytes_total_ -= oldest.bytes;
  oldest.message.reset();
  if (2 * forgotten_ < entries_.size()) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(std::exchange(forgotten_, 0)));
  if (entries_.empty()) std::vector<Entry>().swap(entries_);
}

}  // namespace causeway::signaling
