// SPDX-License-Identifier: Apache-2.0
#include "net/splice.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace causeway::net {

using namespace asio::experimental::awaitable_operators;

namespace {

constexpr int kKeepAliveIdleSeconds = 60;
constexpr int kKeepAliveIntervalSeconds = 15;
constexpr int kKeepAliveProbes = 4;

}  // namespace

void keep_alive(tcp::socket& socket) noexcept {
  error_code ignored;
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  const auto set = [&socket](int name, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(TCP_KEEPCNT, kKeepAliveProbes);
}

void reset(tcp::socket& socket) noexcept {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Splice::Splice(Stream& client, Stream& peer, Observer observer, Duration half_closed_idle)
    : client_(client),
      peer_(peer),
      observer_(std::move(observer)),
      half_closed_idle_(half_closed_idle),
      half_closed_(client.get_executor(), asio::steady_timer::time_point::max()),
      pause_from_client_(client.get_executor()),
      pause_from_peer_(client.get_executor()) {
  keep_alive(client_.next_layer());
  keep_alive(peer_.next_layer());
}

asio::awaitable<void> Splice::run(std::vector<std::uint8_t> first_bytes) {
  co_await ((pump(true, std::move(first_bytes)) && pump(false, {})) || watch_half_closed());
  client_.close();
  peer_.close();
}

asio::awaitable<void> Splice::pump(bool from_client, std::vector<std::uint8_t> first_bytes) {
  Stream& from = from_client ? client_ : peer_;
  Stream& to = from_client ? peer_ : client_;
  std::vector<std::uint8_t> buffer = std::move(first_bytes);
  std::size_t bytes = buffer.size();
  buffer.resize(std::max(bytes, kBufferBytes));
  for (;;) {
    if (bytes > 0) {
      const auto [error, written] = co_await asio::async_write(to, asio::buffer(buffer.data(), bytes), kAwait);
      if (error) co_return abort();
      const Duration pause = observer_.passed(from_client, bytes);
      if (is_half_closed_) half_closed_.expires_after(half_closed_idle_ + pause);
      if (pause > Duration::zero()) {
        asio::steady_timer& timer = from_client ? pause_from_client_ : pause_from_peer_;
        timer.expires_after(pause);
        (void)co_await timer.async_wait(kAwait);
      }
    }
    const auto [error, received] = co_await from.async_read_some(asio::buffer(buffer), kAwait);
    if (error == asio::error::eof) break;
    if (error) co_return abort();
    bytes = received;
  }
  co_await end_direction(from_client);
}

asio::awaitable<void> Splice::end_direction(bool from_client) {
  Stream& to = from_client ? peer_ : client_;
  // TLS has a last word to send, for which a full socket would have no room.
  if (to.is_tls()) (void)co_await to.next_layer().async_wait(tcp::socket::wait_write, kAwait);
  if (is_half_closed_) report_end();
  to.shutdown_send();
  is_half_closed_ = true;
  half_closed_.expires_after(half_closed_idle_);
}

asio::awaitable<void> Splice::watch_half_closed() {
  for (;;) {
    const auto [error] = co_await half_closed_.async_wait(kAwait);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    if (!error) co_return abort();
  }
}

void Splice::report_end() {
  if (!std::exchange(has_ended_, true)) observer_.ended();
}

void Splice::abort() noexcept {
  report_end();
  pause_from_client_.cancel();
  pause_from_peer_.cancel();
  reset(client_.next_layer());
  reset(peer_.next_layer());
}

}  // namespace causeway::net
