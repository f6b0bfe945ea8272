// SPDX-License-Identifier: Apache-2.0
// Every address of this machine, which is how the relay knows its own from a stranger's. Read at the start and again
// when the kernel reports a change (DHCP, IPv6 renumbering, `ip address add`) or the operator asks for a reload. A
// default route is a change too, as the relay's choice depends on it: it often comes after its address.
#pragma once

#include <functional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "net/address_watch.hpp"
#include "net/asio.hpp"

namespace causeway::app {

class MachineAddresses {
 public:
  MachineAddresses(const asio::any_io_executor& executor, Logger logger);

  // Sorted, each once. Empty, with an error in the log, where the system does not tell.
  const std::vector<IpAddress>& current() const noexcept { return current_; }
  // Calls `changed` after each change of addresses or default routes, until stop().
  void start(std::function<void()> changed);
  void stop() { watch_.stop(); }
  void read_again();

 private:
  // False where the system does not tell: what was read before stays.
  bool read();
  void log_difference(const std::vector<IpAddress>& before) const;

  std::vector<IpAddress> current_;
  std::vector<IpAddress> default_route_;  // to see whether it has changed
  std::function<void()> changed_;
  Logger logger_;
  net::AddressWatch watch_;
};

}  // namespace causeway::app
