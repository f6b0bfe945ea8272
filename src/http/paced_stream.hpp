// SPDX-License-Identifier: Apache-2.0
// A net::Stream under a WebSocket that is read no faster than a client may send. Above the rates nothing is read for a
// while: what a client sends too fast waits in its own connection, nothing is lost, and nobody else waits. All octets
// count, so that neither a flood of control frames nor one of empty fragments passes by. At most what one read has
// brought is too much, and it is paid for by a longer wait.
#pragma once

#include <algorithm>
#include <boost/asio/compose.hpp>
#include <boost/beast/core/role.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "causeway/base/time.hpp"
#include "causeway/base/token_bucket.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"
#include "net/stream_teardown.hpp"
#include "net/system_clock.hpp"

namespace causeway::http {

struct ReceiveRates {
  TokenRate messages{};  // control frames are messages, too
  TokenRate bytes{};     // on the wire, inside TLS
};

class PacedStream {
 public:
  using executor_type = net::Stream::executor_type;
  using next_layer_type = net::Stream;

  // Both references outlive the stream. `all_pauses` counts those of all streams.
  PacedStream(net::Stream stream, const ReceiveRates& rates, std::uint64_t& all_pauses)
      : stream_(std::move(stream)), rates_(rates), pause_(stream_.get_executor()), all_pauses_(all_pauses) {}

  executor_type get_executor() noexcept { return stream_.get_executor(); }
  net::Stream& next_layer() noexcept { return stream_; }
  const net::Stream& next_layer() const noexcept { return stream_; }

  // A message or a control frame was in what has been read.
  void count_message() noexcept { messages_.take(rates_.messages, 1, read_clock().steady); }
  bool is_pausing() const noexcept { return is_pausing_; }
  std::uint64_t pauses() const noexcept { return pauses_; }

  // One at a time, as with net::Stream.
  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token) {
    return asio::async_compose<Token, void(error_code, std::size_t)>(Read<MutableBufferSequence>{this, buffers}, token,
                                                                     stream_);
  }
  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token) {
    return stream_.async_write_some(buffers, std::forward<Token>(token));
  }

  void close() noexcept {
    pause_.cancel();
    stream_.close();
  }

 private:
  template <class MutableBufferSequence>
  struct Read;

  Duration time_to_wait() const noexcept {
    const TimePoint now = read_clock().steady;
    return std::max(messages_.time_to_token(rates_.messages, now), bytes_.time_to_token(rates_.bytes, now));
  }

  net::Stream stream_;
  const ReceiveRates& rates_;
  TokenBucket messages_;
  TokenBucket bytes_;
  asio::steady_timer pause_;
  bool is_pausing_ = false;
  std::uint64_t pauses_ = 0;
  std::uint64_t& all_pauses_;
};

template <class MutableBufferSequence>
struct PacedStream::Read {
  enum class Step : std::uint8_t { kStart, kPause, kRead };

  PacedStream* stream;
  MutableBufferSequence buffers;
  Step step = Step::kStart;

  template <class Self>
  void operator()(Self& self, error_code error = {}, std::size_t bytes = 0) {
    if (step == Step::kRead) {
      if (bytes > 0) stream->bytes_.take(stream->rates_.bytes, bytes, read_clock().steady);
      return self.complete(error, bytes);
    }
    if (step == Step::kPause) {
      stream->is_pausing_ = false;
      if (error) return self.complete(error, 0);
    } else if (const Duration wait = stream->time_to_wait(); wait > Duration::zero()) {
      step = Step::kPause;
      stream->is_pausing_ = true;
      ++stream->pauses_;
      ++stream->all_pauses_;
      stream->pause_.expires_after(wait);
      return stream->pause_.async_wait(std::move(self));
    }
    step = Step::kRead;
    stream->stream_.async_read_some(buffers, std::move(self));
  }
};

// How Beast ends a WebSocket; it finds these by argument-dependent lookup.
inline void teardown(boost::beast::role_type role, PacedStream& stream, error_code& error) {
  teardown(role, stream.next_layer(), error);
}
template <class Handler>
void async_teardown(boost::beast::role_type role, PacedStream& stream, Handler&& handler) {
  async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
}

}  // namespace causeway::http
