// SPDX-License-Identifier: Apache-2.0
// How one end of a path wraps what it sends and unwraps what it gets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "load/stamp.hpp"

namespace causeway::load {

enum class FramingKind : std::uint8_t { kPlain, kChannelData, kIndication, kBinding };

// A frame is a prefix that never changes and a payload that begins with a stamp. Payloads are multiples of four octets,
// so that no frame needs padding over a stream.
class Framing {
 public:
  static Framing plain(std::size_t payload_bytes);
  static Framing channel_data(std::uint16_t channel, std::size_t payload_bytes);
  static Framing indication(const Endpoint& peer, std::size_t payload_bytes);
  static Framing binding();

  std::size_t frame_bytes() const noexcept { return frame_.size(); }
  // Writes one frame of frame_bytes().
  void write(std::uint8_t* to, const Stamp& stamp) const noexcept;
  // Only what changes from frame to frame, where one was written before.
  void restamp(std::uint8_t* frame, const Stamp& stamp) const noexcept;
  // The stamp of a whole frame that came in; nullopt when it is not what the other end sent.
  std::optional<Stamp> read(Bytes frame) const noexcept;

 private:
  Framing(FramingKind kind, const std::vector<std::uint8_t>& prefix, std::size_t payload_bytes);
  std::optional<Bytes> unwrap(Bytes frame) const noexcept;

  FramingKind kind_;
  std::size_t prefix_bytes_;
  std::size_t payload_bytes_;
  std::vector<std::uint8_t> frame_;  // prefix and a payload without stamp
};

}  // namespace causeway::load
