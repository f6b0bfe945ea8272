// SPDX-License-Identifier: Apache-2.0
#include "net/udp_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

constexpr int kBufferBytes = 1 << 20;  // a burst of video must not be lost while the loop does something else

IpAddress v4_of(const in_addr& address) {
  std::array<std::uint8_t, 4> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets};
}

IpAddress v6_of(const in6_addr& address) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets}.unmapped();
}

IpAddress local_address_of(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo packet{};
      std::memcpy(&packet, CMSG_DATA(control), sizeof packet);
      return v4_of(packet.ipi_addr);
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo packet{};
      std::memcpy(&packet, CMSG_DATA(control), sizeof packet);
      return v6_of(packet.ipi6_addr);
    }
  }
  return {};
}

// Says where the packet shall come from. On a dual-stack socket also IPv4 travels in an IPV6_PKTINFO.
std::size_t write_source(cmsghdr* control, const IpAddress& source, bool as_v6) noexcept {
  sockaddr_storage address{};
  if (as_v6) {
    to_mapped_sockaddr({source, 0}, address);
    in6_pktinfo packet{};
    packet.ipi6_addr = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    control->cmsg_level = IPPROTO_IPV6;
    control->cmsg_type = IPV6_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof packet);
    std::memcpy(CMSG_DATA(control), &packet, sizeof packet);
    return CMSG_SPACE(sizeof packet);
  }
  to_sockaddr({source, 0}, address);
  in_pktinfo packet{};
  packet.ipi_spec_dst = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  control->cmsg_level = IPPROTO_IP;
  control->cmsg_type = IP_PKTINFO;
  control->cmsg_len = CMSG_LEN(sizeof packet);
  std::memcpy(CMSG_DATA(control), &packet, sizeof packet);
  return CMSG_SPACE(sizeof packet);
}

}  // namespace

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(dual_stack_, other.dual_stack_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool UdpSocket::set_option(int level, int name, int value) noexcept {
  return ::setsockopt(descriptor_, level, name, &value, sizeof value) == 0;
}

bool UdpSocket::open_and_bind(const Endpoint& local, bool listener) noexcept {
  const bool v6 = !local.address.is_v4();
  descriptor_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return false;
  dual_stack_ = listener && v6 && local.address.is_unspecified();
  bool ready = !v6 || set_option(IPPROTO_IPV6, IPV6_V6ONLY, dual_stack_ ? 0 : 1);
  if (listener) {
    ready = ready && (v6 ? set_option(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set_option(IPPROTO_IP, IP_PKTINFO, 1));
  }
  // RFC 8656 §14: without DONT-FRAGMENT the DF bit is not set. The kernel may keep smaller buffers than asked for.
  if (!v6) set_option(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  set_option(SOL_SOCKET, SO_RCVBUF, kBufferBytes);
  set_option(SOL_SOCKET, SO_SNDBUF, kBufferBytes);
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(local, address);
  return ready && ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

bool UdpSocket::open(const Endpoint& local, Purpose purpose) noexcept {
  if (open_and_bind(local, purpose == Purpose::kListener)) return true;
  const int error = errno;
  *this = UdpSocket{};
  errno = error;
  return false;
}

std::optional<Endpoint> UdpSocket::local_endpoint() const noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return from_sockaddr(address);
}

std::optional<UdpSocket::Received> UdpSocket::receive(MutableBytes buffer) noexcept {
  sockaddr_storage from{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<std::uint8_t, 128> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(descriptor_, &message, 0);
  if (bytes < 0) return std::nullopt;
  const auto endpoint = from_sockaddr(from);
  if (!endpoint) return std::nullopt;
  return Received{*endpoint, local_address_of(message), static_cast<std::size_t>(bytes)};
}

bool UdpSocket::send(Bytes bytes, const Endpoint& to, const IpAddress* local) noexcept {
  sockaddr_storage address{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg reads only
  alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = dual_stack_ ? to_mapped_sockaddr(to, address) : to_sockaddr(to, address);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (local != nullptr) {
    const bool as_v6 = dual_stack_ || !local->is_v4();
    message.msg_control = control.data();
    message.msg_controllen = write_source(reinterpret_cast<cmsghdr*>(control.data()), *local, as_v6);
  }
  return ::sendmsg(descriptor_, &message, 0) >= 0;
}

}  // namespace causeway::net
