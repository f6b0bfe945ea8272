// SPDX-License-Identifier: Apache-2.0
#include "net/control_messages.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

template <class Value>
Value value_of(const cmsghdr& control) noexcept {
  Value value{};
  std::memcpy(&value, CMSG_DATA(&control), sizeof value);
  return value;
}

IpAddress v4_of(const in_addr& address) noexcept {
  std::array<std::uint8_t, 4> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets};
}

IpAddress v6_of(const in6_addr& address) noexcept {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets}.unmapped();
}

void read_ip(const cmsghdr& control, ReceivedControls& controls) noexcept {
  if (control.cmsg_type == IP_PKTINFO) controls.local = v4_of(value_of<in_pktinfo>(control).ipi_addr);
  if (control.cmsg_type == IP_TOS) controls.traffic_class.octet = *CMSG_DATA(&control);
}

void read_ipv6(const cmsghdr& control, ReceivedControls& controls) noexcept {
  if (control.cmsg_type == IPV6_PKTINFO) controls.local = v6_of(value_of<in6_pktinfo>(control).ipi6_addr);
  if (control.cmsg_type == IPV6_TCLASS) {
    controls.traffic_class.octet = static_cast<std::uint8_t>(value_of<int>(control));
  }
}

}  // namespace

ReceivedControls read_controls(msghdr& message) noexcept {
  ReceivedControls controls;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP) read_ip(*control, controls);
    if (control->cmsg_level == IPPROTO_IPV6) read_ipv6(*control, controls);
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      controls.segment_bytes = static_cast<std::size_t>(value_of<int>(*control));
    }
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
      controls.drops = value_of<std::uint32_t>(*control);
    }
  }
  return controls;
}

template <class Value>
void SentControls::add(int level, int type, const Value& value) noexcept {
  static_assert(alignof(Value) <= alignof(cmsghdr));
  auto* const control = reinterpret_cast<cmsghdr*>(octets_.data() + used_);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  used_ += CMSG_SPACE(sizeof value);
}

void SentControls::add_source(const IpAddress& source, bool as_v6) noexcept {
  sockaddr_storage address{};
  if (as_v6) {
    to_mapped_sockaddr({source, 0}, address);
    in6_pktinfo packet{};
    packet.ipi6_addr = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    return add(IPPROTO_IPV6, IPV6_PKTINFO, packet);
  }
  to_sockaddr({source, 0}, address);
  in_pktinfo packet{};
  packet.ipi_spec_dst = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  add(IPPROTO_IP, IP_PKTINFO, packet);
}

void SentControls::add_traffic_class(TrafficClass traffic_class, AddressFamily family) noexcept {
  const int octet = traffic_class.octet;
  if (family == AddressFamily::kIPv4) {
    add(IPPROTO_IP, IP_TOS, octet);
  } else {
    add(IPPROTO_IPV6, IPV6_TCLASS, octet);
  }
}

void SentControls::add_ipv6_dont_fragment() noexcept {
  add(IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

void SentControls::add_segment_bytes(std::uint16_t bytes) noexcept {
  add(IPPROTO_UDP, UDP_SEGMENT, bytes);
}

void SentControls::attach_to(msghdr& message) noexcept {
  message.msg_control = empty() ? nullptr : octets_.data();
  message.msg_controllen = used_;
}

}  // namespace causeway::net
