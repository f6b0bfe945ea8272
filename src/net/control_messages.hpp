// SPDX-License-Identifier: Apache-2.0
// The control messages of UDP datagrams (recvmsg(2), ip(7), udp(7)): what the kernel tells beside a datagram, and what
// it is told.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/traffic_class.hpp"

namespace causeway::net {

struct ReceivedControls {
  std::optional<IpAddress> local;  // where the datagram was sent to, where the socket asks for it
  TrafficClass traffic_class{};
  std::size_t segment_bytes = 0;            // UDP_GRO: several datagrams of one flow, each but the last of this size
  std::optional<std::uint32_t> drops = {};  // of the socket so far, once there are any: its buffer was full
};

ReceivedControls read_controls(msghdr& message) noexcept;

// Collects the control messages of one datagram, or of one run of datagrams, that is sent.
class SentControls {
 public:
  // Send from here. On a dual-stack socket IPv4 travels as IPv6 too.
  void add_source(const IpAddress& source, bool as_v6) noexcept;
  void add_traffic_class(TrafficClass traffic_class, AddressFamily family) noexcept;
  void add_ipv6_dont_fragment() noexcept;
  // UDP_SEGMENT: the kernel sends what it is given as datagrams of this size, the last of what is left.
  void add_segment_bytes(std::uint16_t bytes) noexcept;

  void clear() noexcept { used_ = 0; }
  bool empty() const noexcept { return used_ == 0; }
  // Points `message` to what was added; valid as long as this object is.
  void attach_to(msghdr& message) noexcept;

 private:
  template <class Value>
  void add(int level, int type, const Value& value) noexcept;

  alignas(cmsghdr) std::array<std::uint8_t, 128> octets_;  // NOLINT: written before it is read
  std::size_t used_ = 0;
};

}  // namespace causeway::net
