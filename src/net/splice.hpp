// SPDX-License-Identifier: Apache-2.0
// Two streams joined: what comes from one is sent to the other, octet for octet, in both directions (RFC 6062 §5.4).
// A side is read only when the other has taken all that was read before, so a slow reader slows the sender down and
// costs one buffer each way. The end of one direction is passed on, and the other goes on until it ends as well. What
// ends before, by an error or by abort(), ends with a reset on both sides: half of something never looks like the
// whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "causeway/base/time.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"

namespace causeway::net {

class Splice {
 public:
  static constexpr std::size_t kBufferBytes = 32 * 1024;
  // A client that has closed its connection altogether looks like one that still reads, until something is sent to it.
  static constexpr std::chrono::seconds kHalfClosedIdle{120};

  struct Observer {
    // Data has been passed on; the same side is not read again before this time is over.
    std::function<Duration(bool from_client, std::size_t bytes)> passed;
    std::function<void()> ended;  // once, before either side can see that the last direction has ended
  };

  // Both streams outlive the splice.
  Splice(Stream& client, Stream& peer, Observer observer, Duration half_closed_idle = kHalfClosedIdle);
  Splice(const Splice&) = delete;
  Splice& operator=(const Splice&) = delete;

  // Returns once both directions have ended, with both streams closed. `first_bytes` have been read from the client.
  asio::awaitable<void> run(std::vector<std::uint8_t> first_bytes);
  void abort() noexcept;

 private:
  asio::awaitable<void> pump(bool from_client, std::vector<std::uint8_t> first_bytes);
  asio::awaitable<void> end_direction(bool from_client);
  asio::awaitable<void> watch_half_closed();
  void report_end();

  Stream& client_;
  Stream& peer_;
  Observer observer_;
  Duration half_closed_idle_;
  asio::steady_timer half_closed_;  // never expires while both directions are open
  asio::steady_timer pause_from_client_;
  asio::steady_timer pause_from_peer_;
  bool is_half_closed_ = false;
  bool has_ended_ = false;
};

// Finds out within about two minutes that the other end of an idle connection is no more.
void keep_alive(tcp::socket& socket) noexcept;

// Closes a connection so that the other end sees an error and no regular end.
void reset(tcp::socket& socket) noexcept;

}  // namespace causeway::net
