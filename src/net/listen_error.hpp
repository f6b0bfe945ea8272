// SPDX-License-Identifier: Apache-2.0
// What an operator reads when a listener cannot be opened: which one, why, and what to do; and the pause of one that
// cannot accept.
#pragma once

#include <boost/system/error_code.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "causeway/base/endpoint.hpp"

namespace causeway::net {

// After accept() failed for want of files or memory; trying again at once would keep the loop busy.
inline constexpr std::chrono::milliseconds kAcceptPause{100};

// `transport` as in the configuration: "udp", "tcp", "tls".
std::string listen_error(std::string_view transport, const Endpoint& endpoint, const boost::system::error_code& error);

// What binding "::" fails with on a machine without IPv6; listening on 0.0.0.0 is what was meant then.
bool means_no_ipv6(const boost::system::error_code& error) noexcept;

}  // namespace causeway::net
