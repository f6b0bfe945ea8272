// SPDX-License-Identifier: Apache-2.0
// A WebSocket client (RFC 6455) that never waits: it connects, shakes hands and upgrades while it is asked to go on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "load/octet_stream.hpp"

namespace causeway::load {

// A masked text frame. The mask is always the same: nobody between here and a server on this machine can be fooled.
std::vector<std::uint8_t> text_frame(std::string_view text);
// For changing octets of a frame's text afterwards: what octet `at` of a text of `text_bytes` is masked with.
std::uint8_t mask_at(std::size_t at) noexcept;
std::size_t text_offset(std::size_t frame_bytes) noexcept;  // where the text begins in a frame

class WebSocket {
 public:
  enum class State : std::uint8_t { kUpgrading, kOpen, kEnded };

  // Begins to connect a non-blocking socket and to ask for `target`.
  WebSocket(int descriptor, const Endpoint& remote, SSL_CTX* context, std::string_view target);

  State state() const noexcept { return state_; }
  // Why it ended: the first line of an answer that is no upgrade, the code of a close frame.
  const std::string& reason() const noexcept { return reason_; }

  // What the socket does not take waits for flush(). False, and nothing queued, when something waits already.
  bool send(Bytes frame);
  void say(std::string_view text);  // queued at any rate
  void flush();

  // Reads what there is; `on_text(std::string_view)` gets each whole message. Answers pings.
  template <class OnText>
  void receive(OnText on_text) {
    for (Bytes octets = read(); !octets.empty(); octets = read()) {
      for (Message message = next(octets); message.text.data() != nullptr; message = next(octets))
        on_text(message.text);
      keep(octets);
      if (drained_) break;
    }
  }

 private:
  struct Message {
    std::string_view text{};  // without data: there is no whole one
  };

  Bytes read();                    // what was kept and what is new; empty when there is nothing new
  Message next(Bytes& octets);     // takes away what it has used
  bool take_frame(Bytes& octets);  // false: it is not whole yet
  void take_upgrade(Bytes& octets);
  void on_control(std::uint8_t opcode, std::string_view payload);
  void keep(Bytes octets);
  void end(std::string reason);

  OctetStream stream_;
  State state_ = State::kUpgrading;
  bool drained_ = false;
  bool text_is_whole_ = false;
  std::string reason_;
  std::vector<std::uint8_t> waiting_;  // to be sent
  std::vector<std::uint8_t> kept_;     // the beginning of a frame
  std::string text_;                   // of the message so far
};

}  // namespace causeway::load
