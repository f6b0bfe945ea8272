// SPDX-License-Identifier: Apache-2.0
#include "net/datagram_loop.hpp"

#include <sys/epoll.h>

#include <array>
#include <cmath>
#include <system_error>

#include "net/system_clock.hpp"

namespace causeway::net {
namespace {

constexpr int kRoundsMax = 8;  // then the other work of the event loop has its turn
constexpr int kEventsMax = 256;
// Fewer than that: the loop has caught up, and another look would find nothing.
constexpr std::size_t kBusyDatagramsMin = 4;
// How fast the measured rate follows: what came this long ago counts a third.
constexpr double kRateMemorySeconds = 0.005;

int make_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "Cannot make an epoll set");
  return descriptor;
}

}  // namespace

DatagramLoop::DatagramLoop(const asio::any_io_executor& executor, DatagramReceiver& receiver)
    : receiver_(receiver), epoll_(executor, make_epoll()), window_timer_(executor) {}

void DatagramLoop::start() {
  await_readable();
}

void DatagramLoop::stop() {
  error_code ignored;
  epoll_.cancel(ignored);
  window_timer_.cancel();
}

bool DatagramLoop::add(int descriptor, std::uint64_t token) noexcept {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = token;
  return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void DatagramLoop::remove(int descriptor) noexcept {
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
}

void DatagramLoop::await_readable() {
  epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    if (fills_window(run_rounds())) return await_window();
    await_readable();
  });
}

void DatagramLoop::await_window() {
  window_timer_.expires_after(gather_window_);
  window_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    if (fills_window(run_rounds())) return await_window();
    await_readable();
  });
}

bool DatagramLoop::fills_window(std::size_t datagrams) noexcept {
  if (gather_window_ == gather_window_.zero()) return false;
  const auto now = read_clock().steady;
  const double elapsed = std::chrono::duration<double>(now - measured_at_).count();
  measured_at_ = now;
  datagrams_per_second_ = datagrams_per_second_ * std::exp(-elapsed / kRateMemorySeconds) +
                          static_cast<double>(datagrams) / kRateMemorySeconds;
  return datagrams_per_second_ * std::chrono::duration<double>(gather_window_).count() >= kGatheredMin;
}

std::size_t DatagramLoop::run_rounds() {
  std::array<epoll_event, kEventsMax> events;
  std::size_t datagrams = 0;
  for (int round = 0; round < kRoundsMax; ++round) {
    const int ready = ::epoll_wait(epoll_.native_handle(), events.data(), kEventsMax, 0);
    if (ready <= 0) break;
    receiver_.begin_round();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if ((event.events & EPOLLERR) != 0) receiver_.on_error(event.data.u64);
      if ((event.events & EPOLLIN) != 0) receiver_.on_readable(event.data.u64);
    }
    const std::size_t read = receiver_.end_round();
    datagrams += read;
    if (read < kBusyDatagramsMin) break;
  }
  receiver_.on_idle();
  return datagrams;
}

}  // namespace causeway::net
