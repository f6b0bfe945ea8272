// SPDX-License-Identifier: Apache-2.0
// Cuts a TCP or TLS byte stream into STUN and ChannelData messages (RFC 8489 §6.2.2, RFC 8656 §12.5).
// Owns the buffer the stream is read into. It starts with 4 KiB and doubles when a read fills it, up to one message of
// the greatest size: a peer makes it grow by sending, never by announcing. 64 octets in front of
// every frame may be overwritten (they are headroom or frames already handed out), which lets a payload be framed anew
// in place. Many small reads in a row bring the buffer back to its first size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/result.hpp"

namespace causeway::stun {

enum class FramingError : std::uint8_t {
  kNeitherStunNorChannelData,  // the first octet belongs to neither: the stream cannot be brought back into step
  kBadStunHeader,              // no magic cookie, or a length that is no multiple of four
};

class StreamFramer {
 public:
  static constexpr std::size_t kHeadroomBytes = 64;

  StreamFramer();

  // Room to read into, at least one octet; to be called when next() wants more bytes. Invalidates frames handed out.
  MutableBytes prepare();
  void commit(std::size_t bytes_read) noexcept;

  // The next whole message without its padding, nullopt when more bytes are needed. Valid until prepare().
  // After an error the stream is lost: every further call reports it again.
  Result<std::optional<MutableBytes>, FramingError> next() noexcept;

  // What has been read and not handed out. Valid until prepare().
  Bytes rest() const noexcept { return Bytes{buffer_}.subspan(begin_, end_ - begin_); }

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_;        // of the bytes not handed out yet
  std::size_t end_;          // of the bytes read
  bool was_filled_ = false;  // by the last read
  int small_reads_ = 0;      // in a row
};

}  // namespace causeway::stun
