// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/framer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/types.hpp"

namespace causeway::stun {
namespace {

constexpr std::size_t kInitialBytes = 4096;
constexpr int kSmallReadsMax = 64;
constexpr std::size_t kChannelDataBytesMax = kChannelDataHeaderBytes + 65536;  // with padding
constexpr std::size_t kFrameBytesMax = std::max(kMessageBytesMax, kChannelDataBytesMax);

}  // namespace

StreamFramer::StreamFramer() : buffer_(kHeadroomBytes + kInitialBytes), begin_(kHeadroomBytes), end_(kHeadroomBytes) {}

MutableBytes StreamFramer::prepare() {
  if (begin_ > kHeadroomBytes) {
    const auto from = buffer_.begin();
    std::copy(from + static_cast<std::ptrdiff_t>(begin_), from + static_cast<std::ptrdiff_t>(end_),
              from + static_cast<std::ptrdiff_t>(kHeadroomBytes));
    end_ -= begin_ - kHeadroomBytes;
    begin_ = kHeadroomBytes;
  }
  if (small_reads_ >= kSmallReadsMax && begin_ == end_ && buffer_.size() > kHeadroomBytes + kInitialBytes) {
    buffer_.resize(kHeadroomBytes + kInitialBytes);
    buffer_.shrink_to_fit();
    small_reads_ = 0;
  }
  // Doubles only once a read has filled it: a header that announces 64 KiB costs nothing until the bytes come.
  const bool is_full = end_ == buffer_.size();
  if ((is_full || std::exchange(was_filled_, false)) && buffer_.size() < kHeadroomBytes + kFrameBytesMax) {
    buffer_.resize(std::min(2 * buffer_.size(), kHeadroomBytes + kFrameBytesMax));
  }
  assert(end_ < buffer_.size() && "next() has to be called until it wants more bytes");
  return MutableBytes{buffer_}.subspan(end_);
}

void StreamFramer::commit(std::size_t bytes_read) noexcept {
  assert(bytes_read <= buffer_.size() - end_);
  end_ += bytes_read;
  was_filled_ = end_ == buffer_.size();
  small_reads_ = bytes_read < kInitialBytes ? small_reads_ + 1 : 0;
}

Result<std::optional<MutableBytes>, FramingError> StreamFramer::next() noexcept {
  using Frame = std::optional<MutableBytes>;
  const MutableBytes read = MutableBytes{buffer_}.subspan(begin_, end_ - begin_);
  if (read.empty()) return Frame{};
  const FirstOctet kind = classify_first_octet(read[0]);
  if (kind != FirstOctet::kStun && kind != FirstOctet::kChannelData) return FramingError::kNeitherStunNorChannelData;
  if (read.size() < 4) return Frame{};

  // Both kinds carry their length, without their header, in the octets 2 and 3.
  std::size_t frame_bytes = load_be16(read.data() + 2);
  if (kind == FirstOctet::kStun) {
    if (frame_bytes % 4 != 0) return FramingError::kBadStunHeader;
    if (read.size() >= 8 && load_be32(read.data() + 4) != kMagicCookie) return FramingError::kBadStunHeader;
    frame_bytes += kHeaderBytes;
  } else {
    frame_bytes += kChannelDataHeaderBytes;
  }
  const std::size_t padded_bytes = (frame_bytes + 3) & ~std::size_t{3};  // RFC 8656 §12.5
  if (read.size() < padded_bytes) return Frame{};
  begin_ += padded_bytes;
  return Frame{read.first(frame_bytes)};
}

}  // namespace causeway::stun
