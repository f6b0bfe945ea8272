// SPDX-License-Identifier: Apache-2.0
#include "net/turn_stream_session.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include "net/system_clock.hpp"
#include "net/turn_driver.hpp"

namespace causeway::net {

using namespace asio::experimental::awaitable_operators;

TurnStreamSession::TurnStreamSession(TurnDriver& driver, Stream stream, const turn::ClientRef& client)
    : driver_(driver),
      stream_(std::move(stream)),
      client_(client),
      queued_(stream_.get_executor(), asio::steady_timer::time_point::max()),
      last_message_at_(read_clock().steady) {
  driver_.on_stream_begin(*this);
}

TurnStreamSession::~TurnStreamSession() {
  driver_.on_stream_end(*this);
}

asio::awaitable<void> TurnStreamSession::run(std::vector<std::uint8_t> first_bytes) {
  co_await (read_loop(std::move(first_bytes)) || write_loop() || watch_idleness());
  if (answered_bind_) {
    const Bytes read = framer_.rest();
    std::vector<std::uint8_t> data{read.begin(), read.end()};
    data.insert(data.end(), unframed_.begin(), unframed_.end());
    co_await driver_.splice(*bound_to_, stream_, std::move(data));
  }
  stream_.close();
}

bool TurnStreamSession::handle_frames() {
  for (;;) {
    const auto frame = framer_.next();
    if (!frame) {
      ++driver_.counters_.stream_framing_errors;
      return false;
    }
    if (!*frame) return true;
    const Now now = read_clock();
    last_message_at_ = now.steady;
    had_message_ = true;
    driver_.on_stream_message(*this, **frame, now);
    if (bound_to_) return true;
  }
}

asio::awaitable<void> TurnStreamSession::read_loop(std::vector<std::uint8_t> first_bytes) {
  for (Bytes rest{first_bytes}; !rest.empty();) {
    const MutableBytes room = framer_.prepare();
    const std::size_t bytes = std::min(room.size(), rest.size());
    std::copy_n(rest.begin(), bytes, room.begin());
    framer_.commit(bytes);
    rest = rest.subspan(bytes);
    if (!handle_frames()) co_return;
    if (!bound_to_) continue;
    unframed_.assign(rest.begin(), rest.end());
    break;
  }
  while (!bound_to_) {
    const MutableBytes room = framer_.prepare();
    const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), kAwait);
    if (error) co_return;
    framer_.commit(bytes);
    if (!handle_frames()) co_return;
  }
  // write_loop() is to end first, with the answer written.
  asio::steady_timer never{stream_.get_executor(), asio::steady_timer::time_point::max()};
  (void)co_await never.async_wait(kAwait);
}

asio::awaitable<void> TurnStreamSession::write_loop() {
  for (;;) {
    if (queue_.empty() && bound_to_) {
      answered_bind_ = true;
      co_return;
    }
    if (queue_.empty()) {
      (void)co_await queued_.async_wait(kAwait);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return;
      continue;
    }
    writing_.clear();
    std::swap(writing_, queue_);
    const auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(writing_), kAwait);
    if (error) co_return;
  }
}

// A connection that never says anything, or that has lost its allocation, does not stay for ever.
asio::awaitable<void> TurnStreamSession::watch_idleness() {
  asio::steady_timer timer{stream_.get_executor()};
  for (;;) {
    const auto limit = had_message_ ? kIdleWithoutAllocation : kFirstMessageDeadline;
    timer.expires_at(last_message_at_ + limit);
    const auto [error] = co_await timer.async_wait(kAwait);
    if (error) co_return;
    if (driver_.server().allocations().find(client_.five_tuple) != nullptr) {
      last_message_at_ = read_clock().steady;
    } else if (read_clock().steady >= last_message_at_ + limit) {
      co_return;
    }
  }
}

void TurnStreamSession::bind(turn::ConnectionId connection, Bytes answer) {
  bound_to_ = connection;
  if (!send(answer)) stream_.close();  // who reads none of its answers gets no data either
}

bool TurnStreamSession::send(Bytes message) {
  const std::size_t padding = (4 - message.size() % 4) % 4;
  if (queue_.size() + message.size() + padding > kQueueBytesMax) return false;
  queue_.insert(queue_.end(), message.begin(), message.end());
  queue_.insert(queue_.end(), padding, std::uint8_t{0});
  queued_.cancel_one();
  return true;
}

}  // namespace causeway::net
