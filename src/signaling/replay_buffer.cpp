// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/replay_buffer.hpp"

#include <algorithm>
#include <utility>

namespace causeway::signaling {

void ReplayBuffer::push(std::uint64_t seq, std::shared_ptr<const ReplayPool::Kept> kept) {
  bytes_ += kept->bytes();
  entries_.push_back({seq, std::move(kept)});
  const auto is_over = [this] {
    return entries().size() > limits_.messages_max || bytes_ > limits_.bytes_max ||
           entries().front().kept->message() == nullptr;
  };
  while (!entries().empty() && is_over())
    forget_oldest();
}

std::span<const ReplayBuffer::Entry> ReplayBuffer::whole_entries() noexcept {
  const auto kept = entries();
  const auto last_dropped =
      std::find_if(kept.rbegin(), kept.rend(), [](const Entry& entry) { return entry.kept->message() == nullptr; });
  for (auto left = kept.rend() - last_dropped; left > 0; --left)
    forget_oldest();
  return entries();
}

void ReplayBuffer::forget_until(std::uint64_t seq) noexcept {
  while (!entries().empty() && entries().front().seq <= seq)
    forget_oldest();
}

void ReplayBuffer::forget_oldest() noexcept {
  Entry& oldest = entries_[forgotten_++];
  bytes_ -= oldest.kept->bytes();
  oldest.kept.reset();
  if (2 * forgotten_ < entries_.size()) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(std::exchange(forgotten_, 0)));
  if (entries_.empty()) std::vector<Entry>().swap(entries_);
}

}  // namespace causeway::signaling
