// SPDX-License-Identifier: Apache-2.0
// One inner, level-triggered epoll set for all UDP sockets, which Asio awaits as a single descriptor. A wake-up runs a
// bounded number of rounds and re-arms, so neither a packet nor a socket costs an Asio operation.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>

#include "net/asio.hpp"

namespace causeway::net {

class DatagramReceiver {
 public:
  virtual ~DatagramReceiver() = default;
  // Around what was found readable by one look at the set.
  virtual void begin_round() = 0;
  virtual void end_round() = 0;
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

  void start();
  void stop();

  // False when the kernel has no room for it. The caller owns the descriptor and closes it after remove().
  bool add(int descriptor, std::uint64_t token) noexcept;
  void remove(int descriptor) noexcept;

 private:
  void await_readable();
  void run_rounds();

  DatagramReceiver& receiver_;
  asio::posix::stream_descriptor epoll_;
};

}  // namespace causeway::net
