// SPDX-License-Identifier: Apache-2.0
#include "net/address_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace causeway::net {
namespace {

error_code last_error() {
  return {errno, boost::system::system_category()};
}

}  // namespace

AddressWatch::AddressWatch(const asio::any_io_executor& executor, std::function<void()> changed, Logger logger)
    : socket_(executor), changed_(std::move(changed)), logger_(std::move(logger)) {}

error_code AddressWatch::start() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (descriptor < 0) return last_error();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const error_code error = last_error();
    ::close(descriptor);
    return error;
  }
  socket_.assign(descriptor);
  await_change();
  return {};
}

void AddressWatch::stop() {
  error_code ignored;
  socket_.cancel(ignored);
}

void AddressWatch::await_change() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& cancelled) {
    if (cancelled) return;
    if (const error_code error = drain()) {
      logger_->error(
          "netlink: {}; changes of this machine's addresses go unnoticed from now on: reload (SIGHUP) after one",
          error.message());
      return;
    }
    await_change();
    changed_();
  });
}

error_code AddressWatch::drain() {
  std::array<char, 8192> message;  // what does not fit is cut off and of no interest
  for (;;) {
    if (::recv(socket_.native_handle(), message.data(), message.size(), 0) >= 0) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    if (errno != EINTR && errno != ENOBUFS) return last_error();
  }
}

}  // namespace causeway::net
