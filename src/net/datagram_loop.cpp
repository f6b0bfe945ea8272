// SPDX-License-Identifier: Apache-2.0
#include "net/datagram_loop.hpp"

#include <sys/epoll.h>

#include <array>
#include <system_error>

namespace causeway::net {
namespace {

constexpr int kRoundsMax = 8;  // then the other work of the event loop has its turn
constexpr int kEventsMax = 256;

int make_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "Cannot make an epoll set");
  return descriptor;
}

}  // namespace

DatagramLoop::DatagramLoop(const asio::any_io_executor& executor, DatagramReceiver& receiver)
    : receiver_(receiver), epoll_(executor, make_epoll()) {}

void DatagramLoop::start() {
  await_readable();
}

void DatagramLoop::stop() {
  error_code ignored;
  epoll_.cancel(ignored);
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
    run_rounds();
    await_readable();
  });
}

void DatagramLoop::run_rounds() {
  std::array<epoll_event, kEventsMax> events;
  for (int round = 0; round < kRoundsMax; ++round) {
    const int ready = ::epoll_wait(epoll_.native_handle(), events.data(), kEventsMax, 0);
    if (ready <= 0) break;
    receiver_.begin_round();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if ((event.events & EPOLLERR) != 0) receiver_.on_error(event.data.u64);
      if ((event.events & EPOLLIN) != 0) receiver_.on_readable(event.data.u64);
    }
    receiver_.end_round();
  }
  receiver_.on_idle();
}

}  // namespace causeway::net
