// SPDX-License-Identifier: Apache-2.0
// Performs the TLS handshakes of all stream listeners, step by step in the order and at the pace of a HandshakeQueue,
// so that a flood of them delays nobody who shares the loop. One loop owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "causeway/base/handshake_queue.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"

namespace causeway::net {

class TlsContext;

class TlsHandshakes {
 public:
  TlsHandshakes(const asio::any_io_executor& executor, const HandshakeQueueOptions& options, std::uint64_t hash_seed);
  ~TlsHandshakes();
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  // As the server, on a plain connection of `source` on which nothing was read yet; nullopt: of this machine or of a
  // proxy, which no rate applies to. `stream` outlives the coroutine. asio::error::no_buffer_space: too many handshakes
  // wait already.
  asio::awaitable<error_code> perform(Stream& stream, std::shared_ptr<const TlsContext> context,
                                      std::optional<IpAddress> source);

  HandshakeQueue& queue() noexcept;
  const HandshakeQueue& queue() const noexcept;

 private:
  struct State;  // shared with the handshakes, whose coroutines may be destroyed with the loop, later than this object
  struct Turn;   // of one step: waits, or may be taken
  static asio::awaitable<error_code> perform(std::shared_ptr<State> state, Stream& stream,
                                             std::shared_ptr<const TlsContext> context,
                                             std::optional<IpAddress> source);
  static asio::awaitable<void> wait(Turn& turn);

  std::shared_ptr<State> state_;
};

}  // namespace causeway::net
