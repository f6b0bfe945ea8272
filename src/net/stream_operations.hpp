// SPDX-License-Identifier: Apache-2.0
// The asynchronous operations of net::Stream; included by stream.hpp only. Each asks OpenSSL, waits for the socket
// where it must, and asks again. Without TLS they are those of the socket.
#pragma once

#include "net/stream.hpp"

namespace causeway::net {

struct Stream::ReadStep {
  asio::mutable_buffer buffer;
  using Cancellation = asio::enable_total_cancellation;  // nothing is lost: OpenSSL keeps partial records
  Attempt operator()(Stream& stream) const noexcept {
    if (std::exchange(stream.drained_, false)) return {.wait = tcp::socket::wait_read};
    return stream.try_read(buffer);
  }
};

struct Stream::WriteStep {
  Gathered gathered;
  using Cancellation = asio::enable_terminal_cancellation;
  Attempt operator()(Stream& stream) const noexcept {
    return stream.try_write({gathered.buffers.data(), gathered.count});
  }
};

template <class Step>
struct Stream::Operation {
  enum class State { kStarting, kWaiting, kDone };

  Stream* stream;
  Step step;
  State state = State::kStarting;
  Attempt attempt{};

  template <class Self>
  void operator()(Self& self, error_code error = {}) {
    if (state == State::kStarting) self.reset_cancellation_state(typename Step::Cancellation{});
    if (state == State::kWaiting && !error && self.cancelled() != asio::cancellation_type::none) {
      error = asio::error::operation_aborted;
    }
    if (error) attempt = {.error = error};
    if (!error && state != State::kDone) {
      attempt = step(*stream);
      if (attempt.wait) {
        state = State::kWaiting;
        stream->socket_.async_wait(*attempt.wait, std::move(self));
        return;
      }
      if (state == State::kStarting) {  // an initiating function may not call its handler
        state = State::kDone;
        asio::post(stream->get_executor(), std::move(self));
        return;
      }
    }
    self.complete(attempt.error, attempt.bytes);
  }
};

struct Stream::StartRead {
  template <class Handler, class MutableBufferSequence>
  void operator()(Handler&& handler, Stream* stream, const MutableBufferSequence& buffers) const {
    if (!stream->is_tls()) {
      stream->socket_.async_read_some(buffers, std::forward<Handler>(handler));
      return;
    }
    ReadStep step{};
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at) {
      step.buffer = *at;
      if (step.buffer.size() > 0) break;
    }
    asio::async_compose<Handler, void(error_code, std::size_t)>(Operation<ReadStep>{stream, step}, handler,
                                                                stream->socket_);
  }
};

struct Stream::StartWrite {
  template <class Handler, class ConstBufferSequence>
  void operator()(Handler&& handler, Stream* stream, const ConstBufferSequence& buffers) const {
    if (!stream->is_tls()) {
      stream->socket_.async_write_some(buffers, std::forward<Handler>(handler));
      return;
    }
    WriteStep step{};
    for (auto at = asio::buffer_sequence_begin(buffers);
         at != asio::buffer_sequence_end(buffers) && step.gathered.count < kGatherMax; ++at) {
      const asio::const_buffer buffer = *at;
      if (buffer.size() > 0) step.gathered.buffers[step.gathered.count++] = buffer;
    }
    asio::async_compose<Handler, void(error_code, std::size_t)>(Operation<WriteStep>{stream, step}, handler,
                                                                stream->socket_);
  }
};

template <class MutableBufferSequence, class Token>
auto Stream::async_read_some(const MutableBufferSequence& buffers, Token&& token) {
  return asio::async_initiate<Token, void(error_code, std::size_t)>(StartRead{}, token, this, buffers);
}

template <class ConstBufferSequence, class Token>
auto Stream::async_write_some(const ConstBufferSequence& buffers, Token&& token) {
  return asio::async_initiate<Token, void(error_code, std::size_t)>(StartWrite{}, token, this, buffers);
}

}  // namespace causeway::net
