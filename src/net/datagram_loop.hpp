// SPDX-License-Identifier: Apache-2.0
// One inner, level-triggered epoll set for all UDP sockets, which Asio awaits as a single descriptor. A wake-up runs a
// bounded number of rounds and re-arms, so neither a packet nor a socket costs an Asio operation.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "causeway/base/time.hpp"
#include "net/asio.hpp"

namespace causeway::net {

class DatagramReceiver {
 public:
  virtual ~DatagramReceiver() = default;
  // Around what was found readable by one look at the set. Returns how many datagrams were read.
  virtual void begin_round() = 0;
  virtual std::size_t end_round() = 0;
  // The socket added under this token can be read. It may have been removed a moment ago.
  virtual void on_readable(std::uint64_t token) = 0;
  // It has an error to read, which would be reported again and again; it may have been removed as well.
  virtual void on_error(std::uint64_t token) = 0;
  // All that was readable in this wake-up has been handled.
  virtual void on_idle() = 0;
};

class DatagramLoop {
 public:
  // `receiver` outlives the loop. Throws std::system_error when there is no descriptor left.
  DatagramLoop(const asio::any_io_executor& executor, DatagramReceiver& receiver);

  // After a wake-up the next look at the set waits this long, while at least kGatheredMin datagrams are expected to
  // come meanwhile: fewer wake-ups for that much more delay. Zero, the default: never.
  void set_gather_window(std::chrono::microseconds window) noexcept { gather_window_ = window; }
  static constexpr double kGatheredMin = 3;

  void start();
  void stop();

  // False when the kernel has no room for it. The caller owns the descriptor and closes it after remove().
  bool add(int descriptor, std::uint64_t token) noexcept;
  void remove(int descriptor) noexcept;

 private:
  void await_readable();
  void await_window();
  // Returns how many datagrams were read.
  std::size_t run_rounds();
  // Whether the window pays, by the rate at which datagrams have come of late.
  bool fills_window(std::size_t datagrams) noexcept;

  DatagramReceiver& receiver_;
  asio::posix::stream_descriptor epoll_;
  asio::steady_timer window_timer_;
  std::chrono::microseconds gather_window_{0};
  double datagrams_per_second_ = 0;
  TimePoint measured_at_{};
};

}  // namespace causeway::net
