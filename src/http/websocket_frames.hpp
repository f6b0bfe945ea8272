// SPDX-License-Identifier: Apache-2.0
// The frames of RFC 6455 as a server sees them: a client's octets in, whole messages and control frames out; and the
// other way round. Knows no socket. Extensions are never agreed on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/bytes.hpp"

namespace causeway::http {

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// RFC 6455 §7.4.1: close codes that the framing itself gives rise to.
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kNoStatus = 1005;  // a close frame without a code; never sent
inline constexpr std::uint16_t kInvalidPayload = 1007;

// What one frame has brought.
struct Received {
  enum class Kind : std::uint8_t {
    kIncomplete,  // nothing: more octets are needed
    kFragment,    // a message that goes on
    kText,        // `payload` is the whole message, valid UTF-8
    kBinary,      // a message, perhaps its beginning
    kTooBig,      // a message longer than allowed; the frame is left out, however long it is
    kPing,
    kPong,
    kClose,  // `code`, and `payload` as it came
    kError   // the connection has to end with `code`
  };
  Kind kind = Kind::kIncomplete;
  std::string_view payload{};  // good until the next call
  std::uint16_t code = 0;
};

class FrameReader {
 public:
  // Takes one frame from the front of `octets`, which are unmasked in place. A frame that is not whole stays there, so
  // up to `message_bytes_max` and 14 octets have to be kept for the next call.
  Received next(MutableBytes& octets, std::size_t message_bytes_max);

 private:
  struct Header;

  Received skip(MutableBytes& octets) noexcept;
  Received take_data(const Header& header, std::string_view payload);
  static Received take_control(const Header& header, std::string_view payload) noexcept;
  void forget() noexcept;

  std::string message_;        // the fragments so far
  std::size_t valid_ = 0;      // octets of it that are known to be UTF-8
  std::uint64_t to_skip_ = 0;  // octets of a frame that is left out
  bool is_fragmented_ = false;
};

// Unmasked, in one piece.
void append_frame(std::vector<std::uint8_t>& to, Opcode opcode, std::string_view payload);
// `code` kNoStatus: without one.
void append_close_frame(std::vector<std::uint8_t>& to, std::uint16_t code, std::string_view reason);

// RFC 6455 §4.2.2 step 5, item 4: Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

}  // namespace causeway::http
