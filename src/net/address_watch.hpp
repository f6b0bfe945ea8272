// SPDX-License-Identifier: Apache-2.0
// Tells when the addresses of this machine change: a netlink socket that the kernel sends each added and removed
// address to (rtnetlink(7)). What it says is not read: messages get lost when many come at once (ENOBUFS), so whoever
// is told reads interface_addresses() again, and a lost message is a change like any other.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "net/asio.hpp"

namespace causeway::net {

class AddressWatch {
 public:
  // `changed` is called on the loop, once for all changes that wait.
  AddressWatch(const asio::any_io_executor& executor, std::function<void()> changed, Logger logger);

  // An error where the system gives no such socket: EAFNOSUPPORT or EPERM in a sandbox without AF_NETLINK.
  error_code start();
  void stop();

 private:
  void await_change();
  error_code drain();

  asio::posix::stream_descriptor socket_;
  std::function<void()> changed_;
  Logger logger_;
};

}  // namespace causeway::net
