// SPDX-License-Identifier: Apache-2.0
#include "net/listen_error.hpp"

#include <boost/system/errc.hpp>

namespace causeway::net {
namespace errc = boost::system::errc;

std::string listen_error(std::string_view transport, const Endpoint& endpoint, const boost::system::error_code& error) {
  const std::string port = std::to_string(endpoint.port);
  std::string text = "Cannot listen on " + std::string(transport) + " " + endpoint.to_string() + ": ";
  if (error == errc::address_in_use) {
    return text + "another program has this port. Find it with: ss -lnp 'sport = :" + port +
           "' — stop it, or choose another port.";
  }
  if (error == errc::permission_denied || error == errc::operation_not_permitted) {
    return text + "ports below 1024 need a privilege. Give the program CAP_NET_BIND_SERVICE (the systemd unit does), " +
           "or choose a port above 1023.";
  }
  if (error == errc::address_not_available) {
    return text +
           "this machine does not have that address. Use one of its own (ip address shows them), or \"::\" for all.";
  }
  if (error == errc::address_family_not_supported) {
    return text + "this machine has no " + (endpoint.address.is_v4() ? "IPv4" : "IPv6") + ". Remove this listener.";
  }
  return text + error.message() + ".";
}

bool means_no_ipv6(const boost::system::error_code& error) noexcept {
  return error == errc::address_family_not_supported || error == errc::address_not_available;
}

}  // namespace causeway::net
