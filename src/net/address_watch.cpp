// SPDX-License-Identifier: Apache-2.0
#include "net/address_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace causeway::net {
namespace {

error_code last_error() {
  return {errno, boost::system::system_category()};
}

// Of an address or a default route.
bool is_of_interest(const nlmsghdr& header) {
  if (header.nlmsg_type == RTM_NEWADDR || header.nlmsg_type == RTM_DELADDR) return true;
  if (header.nlmsg_type != RTM_NEWROUTE && header.nlmsg_type != RTM_DELROUTE) return false;
  return header.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg)) ||
         static_cast<const rtmsg*>(NLMSG_DATA(&header))->rtm_dst_len == 0;
}

bool has_one_of_interest(const char* message, std::size_t octets) {
  std::size_t offset = 0;
  while (octets - offset >= sizeof(nlmsghdr)) {
    const auto& header = *reinterpret_cast<const nlmsghdr*>(message + offset);
    if (is_of_interest(header)) return true;
    if (header.nlmsg_len < sizeof(nlmsghdr)) return true;  // the kernel sends no such thing
    offset += std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), octets - offset);
  }
  return false;
}

}  // namespace

AddressWatch::AddressWatch(const asio::any_io_executor& executor, std::function<void()> changed, Logger logger)
    : socket_(executor), changed_(std::move(changed)), logger_(std::move(logger)) {}

error_code AddressWatch::start() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (descriptor < 0) return last_error();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
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
    if (std::exchange(is_changed_, false)) changed_();
  });
}

error_code AddressWatch::drain() {
  alignas(nlmsghdr) std::array<char, 8192> message;  // what does not fit is cut off and of no interest
  for (;;) {
    const ssize_t octets = ::recv(socket_.native_handle(), message.data(), message.size(), 0);
    if (octets >= 0) {
      is_changed_ = is_changed_ || has_one_of_interest(message.data(), static_cast<std::size_t>(octets));
    } else if (errno == ENOBUFS) {
      is_changed_ = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {};
    } else if (errno != EINTR) {
      return last_error();
    }
  }
}

}  // namespace causeway::net
