// SPDX-License-Identifier: Apache-2.0
#include "net/turn_stream_session.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "causeway/stun/channel_data.hpp"
#include "net/system_clock.hpp"
#include "net/turn_driver.hpp"

namespace causeway::net {

using namespace asio::experimental::awaitable_operators;
using UnsentLowWater = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

TurnStreamSession::TurnStreamSession(TurnDriver& driver, Stream stream, const turn::ClientRef& client,
                                     const ConnectionPlace& place, TimePoint accepted_at)
    : driver_(driver),
      stream_(std::move(stream)),
      client_(client),
      has_to_write_(stream_.get_executor(), asio::steady_timer::time_point::max()),
      place_(place),
      had_allocation_at_(accepted_at) {
  error_code ignored;  // what the kernel does not bound is only late
  stream_.next_layer().set_option(UnsentLowWater(kUnsentBytesMax), ignored);
  driver_.on_stream_begin(*this);
}

TurnStreamSession::~TurnStreamSession() {
  driver_.on_stream_end(*this);
}

asio::awaitable<void> TurnStreamSession::run(std::vector<std::uint8_t> first_bytes) {
  co_await (read_loop(std::move(first_bytes)) || write_loop() || watch_idleness());
  if (wrote_all_ && handed_to_) co_return;  // the stream goes on elsewhere
  if (wrote_all_) co_await driver_.splice(*bound_to_, stream_, unhandled());
  stream_.close();
}

std::vector<std::uint8_t> TurnStreamSession::unhandled() const {
  const Bytes read = framer_.rest();
  std::vector<std::uint8_t> bytes{read.begin(), read.end()};
  bytes.insert(bytes.end(), unframed_.begin(), unframed_.end());
  return bytes;
}

std::optional<TurnStreamSession::Departure> TurnStreamSession::departure() {
  if (!wrote_all_ || !handed_to_) return std::nullopt;
  std::vector<std::uint8_t> bytes = std::move(handed_request_);
  const std::vector<std::uint8_t> rest = unhandled();
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return Departure{*handed_to_, std::move(stream_), std::move(bytes)};
}

TurnStreamSession::Next TurnStreamSession::handle_frames() {
  const Now now = read_clock();
  const Next next = handle_frames(now);
  driver_.flush();  // what lies in framer_ is read now
  driver_.on_idle();
  return next;
}

bool TurnStreamSession::may_handle(bool is_known, Now now) noexcept {
  if (is_known || has_turn_ || stranger_messages_ < kMessagesBeforeTurns) return true;
  has_turn_ = driver_.server().take_stream_turn(client_.five_tuple.client.address, now);
  return has_turn_;
}

TurnStreamSession::Next TurnStreamSession::handle_frames(Now now) {
  bool is_known = has_allocation();
  for (;;) {
    if (!may_handle(is_known, now)) {
      ++driver_.counters_.stream_turns_awaited;
      return Next::kWait;
    }
    const auto frame = framer_.next();
    if (!frame) {
      ++driver_.counters_.stream_framing_errors;
      return Next::kEnd;
    }
    if (!*frame) return Next::kRead;
    had_message_ = true;
    if (!is_known) ++stranger_messages_;
    has_turn_ = false;
    const bool is_stun = stun::classify_first_octet((**frame)[0]) == stun::FirstOctet::kStun;
    driver_.on_stream_message(*this, **frame, now);
    if (is_stun) is_known = has_allocation();  // it may have begun or ended
    if (!is_authenticated_) notice_authentication();
    if (handed_to_) {
      handed_request_.assign((*frame)->begin(), (*frame)->end());
      has_to_write_.cancel_one();
    }
    if (is_leaving()) return Next::kRead;
  }
}

asio::awaitable<void> TurnStreamSession::read_loop(std::vector<std::uint8_t> first_bytes) {
  asio::steady_timer turn{stream_.get_executor()};
  Bytes rest{first_bytes};
  while (!is_leaving()) {
    const MutableBytes room = framer_.prepare();
    if (rest.empty()) {
      const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), kAwait);
      if (error) co_return;
      framer_.commit(bytes);
    } else {
      const std::size_t bytes = std::min(room.size(), rest.size());
      std::copy_n(rest.begin(), bytes, room.begin());
      framer_.commit(bytes);
      rest = rest.subspan(bytes);
    }
    Next next = handle_frames();
    while (next == Next::kWait) {
      turn.expires_after(kTurnInterval);
      const auto [error] = co_await turn.async_wait(kAwait);
      if (error) co_return;
      next = handle_frames();
    }
    if (next == Next::kEnd) co_return;
  }
  unframed_.assign(rest.begin(), rest.end());
  // write_loop() is to end first, with the answer written.
  asio::steady_timer never{stream_.get_executor(), asio::steady_timer::time_point::max()};
  (void)co_await never.async_wait(kAwait);
}

// Only what flush() could not hand over takes this way.
asio::awaitable<void> TurnStreamSession::write_loop() {
  for (;;) {
    if (is_blocked_) {
      const auto [error] = co_await stream_.async_wait_writable(kAwait);
      if (error) co_return;
      is_blocked_ = false;
      driver_.counters_.stream_data_late += queue_.drop_late(read_clock().steady);
      flush();
      continue;
    }
    if (is_leaving() && queue_.empty()) {
      wrote_all_ = true;
      co_return;
    }
    (void)co_await has_to_write_.async_wait(kAwait);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

bool TurnStreamSession::has_allocation() const noexcept {
  return driver_.server().allocations().find(client_.five_tuple) != nullptr;
}

void TurnStreamSession::notice_authentication() {
  is_authenticated_ = bound_to_.has_value() || has_allocation();
  if (is_authenticated_) place_.on_authenticated();
}

asio::awaitable<void> TurnStreamSession::watch_idleness() {
  asio::steady_timer timer{stream_.get_executor()};
  timer.expires_after(kFirstMessageDeadline);
  for (;;) {
    const auto [error] = co_await timer.async_wait(kAwait);
    if (error || !had_message_) co_return;
    queue_.release_memory();
    const TimePoint now = read_clock().steady;
    if (has_allocation()) had_allocation_at_ = now;
    // One that was there the last time may have ended just now.
    const auto patience = is_authenticated_ ? 2 * kWithoutAllocation : kWithoutAllocation;
    if (now >= had_allocation_at_ + patience) co_return;
    timer.expires_at(std::min(had_allocation_at_ + patience, now + kWithoutAllocation));
  }
}

void TurnStreamSession::bind(turn::ConnectionId connection, Bytes answer) {
  bound_to_ = connection;
  send(answer);
  has_to_write_.cancel_one();
}

void TurnStreamSession::send(Bytes message) {
  TurnDriverCounters& counters = driver_.counters_;
  counters.stream_queue_full += queue_.make_room(message.size());
  if (!queue_.push(message, read_clock().steady)) {
    ++counters.stream_queue_full;
    if (queue_.size() > FrameQueue::kDataBytesMax) stream_.close();  // answers that nobody reads
    return;
  }
  if (is_listed_ || is_blocked_) return;
  is_listed_ = true;
  driver_.unsent_streams_.push_back(this);
}

void TurnStreamSession::flush() noexcept {
  is_listed_ = false;
  if (is_blocked_ || queue_.empty()) return;
  error_code error;
  queue_.consume(stream_.write_now(queue_.bytes(), error));
  if (!error) return;
  if (error != asio::error::would_block) return stream_.close();
  queue_.hold(Stream::kRecordBytesMax);
  is_blocked_ = true;
  has_to_write_.cancel_one();
}

}  // namespace causeway::net
