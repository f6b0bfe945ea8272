// SPDX-License-Identifier: Apache-2.0
#include "app/machine_addresses.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "causeway/base/prefix.hpp"
#include "net/interfaces.hpp"

namespace causeway::app {
namespace {

constexpr const char* kAllowNetlink =
    "allow this process the address family AF_NETLINK (systemd: RestrictAddressFamilies=)";

// Containers come and go with one each.
bool is_link_local_v6(const IpAddress& address) {
  static const Prefix range = *Prefix::parse("fe80::/10");
  return range.contains(address);
}

// " +192.0.2.1 -192.0.2.2"
std::string difference(const std::vector<IpAddress>& before, const std::vector<IpAddress>& now, bool link_local) {
  std::string text;
  const auto add = [&](char sign, const std::vector<IpAddress>& from, const std::vector<IpAddress>& without) {
    std::vector<IpAddress> left;
    std::set_difference(from.begin(), from.end(), without.begin(), without.end(), std::back_inserter(left));
    for (const IpAddress& address : left) {
      if (is_link_local_v6(address) == link_local) text += std::string{" "} + sign + address.to_string();
    }
  };
  add('+', now, before);
  add('-', before, now);
  return text;
}

}  // namespace

MachineAddresses::MachineAddresses(const asio::any_io_executor& executor, Logger logger)
    : logger_(std::move(logger)),
      watch_(
          executor, [this] { read_again(); }, logger_) {
  read();
}

void MachineAddresses::start(std::function<void()> changed) {
  changed_ = std::move(changed);
  if (const error_code error = watch_.start()) {
    logger_->error(
        "cannot watch this machine's addresses ({}): one that it gets later counts as a stranger's until a reload "
        "(SIGHUP), and clients may reach this server's own services there through the relay; {}",
        error.message(), kAllowNetlink);
  }
  read_again();  // what has changed since the constructor
}

bool MachineAddresses::read() {
  auto addresses = net::interface_addresses();
  if (!addresses) {
    logger_->error(
        "cannot read this machine's addresses ({}): only those of the configuration and of the default route are known "
        "as its own, and clients may reach this server's services at others through the relay; {}",
        addresses.error().message(), kAllowNetlink);
    return false;
  }
  default_route_ = net::default_route_sources();
  std::sort(addresses->begin(), addresses->end());
  addresses->erase(std::unique(addresses->begin(), addresses->end()), addresses->end());
  current_ = std::move(*addresses);
  return true;
}

void MachineAddresses::read_again() {
  const std::vector<IpAddress> before = current_;
  const std::vector<IpAddress> default_route_before = default_route_;
  if (!read() || (current_ == before && default_route_ == default_route_before)) return;
  log_difference(before);
  if (changed_) changed_();
}

void MachineAddresses::log_difference(const std::vector<IpAddress>& before) const {
  const std::string of_others_interest = difference(before, current_, false);
  if (!of_others_interest.empty()) logger_->info("this machine's addresses have changed:{}", of_others_interest);
  const std::string link_local = difference(before, current_, true);
  if (!link_local.empty()) logger_->debug("this machine's link-local addresses have changed:{}", link_local);
}

}  // namespace causeway::app
