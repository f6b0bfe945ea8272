// SPDX-License-Identifier: Apache-2.0
// What waits for a TCP or TLS connection of a client to take it: whole messages, one behind the other in one piece of
// memory, so that all that is there leaves with one call. Relayed data is treated as on a network of datagrams: what
// has waited for too long, or stands in the way when the queue is full, is dropped, the oldest first. Answers to
// requests and other news stay. Of a message that the connection has begun to take nothing is dropped.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/time.hpp"

namespace causeway::net {

class FrameQueue {
 public:
  static constexpr std::size_t kDataBytesMax = 256 * 1024;
  // Beyond that, for answers that are owed to a client which asks and does not read.
  static constexpr std::size_t kAnswerBytesMax = 64 * 1024;
  // Of data: whoever talks or shows something live has no use for older.
  static constexpr std::chrono::milliseconds kDataDelayMax{500};

  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  bool empty() const noexcept { return size() == 0; }

  // Appends a message and pads it to four octets (RFC 8656 §12.5). False, and nothing is appended, when it does not fit
  // after make_room().
  bool push(Bytes message, TimePoint now);
  // Drops the oldest data until a message of this size fits and some more would, and returns how many were dropped.
  std::size_t make_room(std::size_t message_bytes);
  // Drops the data that has waited for kDataDelayMax and returns how many were dropped.
  std::size_t drop_late(TimePoint now);

  // All that waits, until the next change.
  Bytes bytes() const noexcept { return Bytes{bytes_}.subspan(begin_); }
  // The connection has taken so much.
  void consume(std::size_t bytes) noexcept;
  // The connection may have begun to take so much: it stays as it is.
  void hold(std::size_t bytes) noexcept { held_ = bytes < size() ? bytes : size(); }
  // Of an empty queue.
  void release_memory() noexcept;

 private:
  struct Frame {
    std::size_t bytes;  // that are left of it, with padding
    TimePoint queued_at;
    bool is_data;
  };
  template <class IsWanted>
  std::size_t drop_data(IsWanted is_wanted);

  std::vector<std::uint8_t> bytes_;  // from begin_
  std::size_t begin_ = 0;
  std::vector<Frame> frames_;  // from first_
  std::size_t first_ = 0;
  std::size_t held_ = 0;
};

}  // namespace causeway::net
