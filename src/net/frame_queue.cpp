// SPDX-License-Identifier: Apache-2.0
#include "net/frame_queue.hpp"

#include <algorithm>

#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/types.hpp"

namespace causeway::net {
namespace {

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + 3) & ~std::size_t{3};
}

// ChannelData or a Data indication.
bool is_relayed_data(Bytes message) noexcept {
  if (message.size() < 2) return false;
  if (stun::classify_first_octet(message.front()) == stun::FirstOctet::kChannelData) return true;
  return load_be16(message.data()) == stun::message_type(stun::Method::kData, stun::MessageClass::kIndication);
}

}  // namespace

bool FrameQueue::push(Bytes message, TimePoint now) {
  const std::size_t bytes = padded(message.size());
  const bool is_data = is_relayed_data(message);
  if (size() + bytes > (is_data ? kDataBytesMax : kDataBytesMax + kAnswerBytesMax)) return false;
  bytes_.insert(bytes_.end(), message.begin(), message.end());
  bytes_.resize(bytes_.size() + bytes - message.size());
  frames_.push_back({bytes, now, is_data});
  return true;
}

std::size_t FrameQueue::make_room(std::size_t message_bytes) {
  if (size() + padded(message_bytes) <= kDataBytesMax) return 0;
  // A quarter at once: what stays has to be moved.
  std::size_t surplus = std::min(size(), padded(message_bytes) + kDataBytesMax / 4);
  return drop_data([&](const Frame& frame) {
    if (surplus == 0) return true;
    surplus -= std::min(surplus, frame.bytes);
    return false;
  });
}

std::size_t FrameQueue::drop_late(TimePoint now) {
  const TimePoint limit = now - kDataDelayMax;
  // They stand in the order of their time.
  if (empty() || frames_[first_].queued_at > limit) return 0;
  return drop_data([limit](const Frame& frame) { return frame.queued_at > limit; });
}

template <class IsWanted>
std::size_t FrameQueue::drop_data(IsWanted is_wanted) {
  std::size_t from = begin_;
  std::size_t to = begin_;
  const std::size_t held_end = begin_ + held_;
  const auto is_dropped = [&](const Frame& frame) {
    const bool dropped = frame.is_data && from >= held_end && !is_wanted(frame);
    if (!dropped) {
      const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(from);
      if (from != to) {
        std::copy(first, first + static_cast<std::ptrdiff_t>(frame.bytes),
                  bytes_.begin() + static_cast<std::ptrdiff_t>(to));
      }
      to += frame.bytes;
    }
    from += frame.bytes;
    return dropped;
  };
  std::size_t kept = first_;
  for (std::size_t i = first_; i < frames_.size(); ++i) {
    const Frame frame = frames_[i];
    if (!is_dropped(frame)) frames_[kept++] = frame;
  }
  const std::size_t dropped = frames_.size() - kept;
  frames_.resize(kept);
  bytes_.resize(to);
  return dropped;
}

void FrameQueue::consume(std::size_t bytes) noexcept {
  begin_ += bytes;
  held_ -= std::min(held_, bytes);
  while (bytes > 0) {
    Frame& frame = frames_[first_];
    const std::size_t taken = std::min(bytes, frame.bytes);
    frame.bytes -= taken;
    bytes -= taken;
    if (frame.bytes == 0) ++first_;
    if (frame.bytes != 0) held_ = std::max(held_, frame.bytes);  // it has begun
  }
  if (empty()) {
    bytes_.clear();
    frames_.clear();
    begin_ = first_ = 0;
  } else if (begin_ > bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_));
    begin_ = first_ = 0;
  }
}

void FrameQueue::release_memory() noexcept {
  if (!empty()) return;
  std::vector<std::uint8_t>{}.swap(bytes_);
  std::vector<Frame>{}.swap(frames_);
}

}  // namespace causeway::net
