// SPDX-License-Identifier: Apache-2.0
// Tells when the addresses or the default routes of this machine change: a netlink socket that the kernel sends each
// added and removed address and route to (rtnetlink(7)). Nothing is learnt from a message but that: messages get lost
// when many come at once (ENOBUFS), so whoever is told reads interface_addresses() and default_route_sources() again,
// and a lost message is a change like any other. Other routes than default ones are left out, as routers have many.
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
  error_code drain();  // sets is_changed_

  asio::posix::stream_descriptor socket_;
  std::function<void()> changed_;
  Logger logger_;
  bool is_changed_ = false;  // by a message since changed_ was last called
};

}  // namespace causeway::net
