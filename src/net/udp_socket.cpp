// SPDX-License-Identifier: Apache-2.0
#include "net/udp_socket.hpp"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <time.h>  // before the next one, which needs timespec
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

// A call may fail for what became of an earlier datagram, and a second time for what came back in between.
constexpr int kAttemptsMax = 3;
constexpr int kBufferBytes = 1 << 20;  // a burst of video must not be lost while the loop does something else

IpAddress v4_of(const in_addr& address) {
  std::array<std::uint8_t, 4> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets};
}

int int_of(cmsghdr& control) {
  int value = 0;
  std::memcpy(&value, CMSG_DATA(&control), sizeof value);
  return value;
}

std::size_t write_int(cmsghdr* control, int level, int type, int value) noexcept {
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  return CMSG_SPACE(sizeof value);
}

IpAddress v6_of(const in6_addr& address) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress{octets}.unmapped();
}

// Where the datagram was sent to, and its traffic class.
void read_controls(msghdr& message, UdpSocket::Received& received) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo packet{};
      std::memcpy(&packet, CMSG_DATA(control), sizeof packet);
      received.local = v4_of(packet.ipi_addr);
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo packet{};
      std::memcpy(&packet, CMSG_DATA(control), sizeof packet);
      received.local = v6_of(packet.ipi6_addr);
    }
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) {
      received.traffic_class.octet = *CMSG_DATA(control);
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_TCLASS) {
      received.traffic_class.octet = static_cast<std::uint8_t>(int_of(*control));
    }
  }
}

// The kernel's errors on the way to a peer as the ICMP errors they stand for.
std::optional<UdpSocket::Error> error_of(msghdr& message, const Endpoint& to) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    const bool v4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
    const bool v6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    if (error.ee_origin == SO_EE_ORIGIN_LOCAL && error.ee_errno == EMSGSIZE) {
      if (v4) return UdpSocket::Error{to, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, error.ee_info};
      return UdpSocket::Error{to, ICMP6_PACKET_TOO_BIG, 0, error.ee_info};
    }
    return UdpSocket::Error{to, error.ee_type, error.ee_code, error.ee_info};
  }
  return std::nullopt;
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
  std::swap(forbids_fragments_, other.forbids_fragments_);
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
  if (!listener) {
    ready = ready && (v6 ? set_option(IPPROTO_IPV6, IPV6_RECVERR, 1) : set_option(IPPROTO_IP, IP_RECVERR, 1));
  }
  // What a system does not tell is not copied.
  if (v6) set_option(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  if (!v6 || dual_stack_) set_option(IPPROTO_IP, IP_RECVTOS, 1);
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
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t bytes = ::recvmsg(descriptor_, &message, 0);
    if (bytes < 0 && errno != EAGAIN) continue;
    if (bytes < 0) return std::nullopt;
    const auto endpoint = from_sockaddr(from);
    if (!endpoint) return std::nullopt;
    Received received{*endpoint, {}, static_cast<std::size_t>(bytes)};
    read_controls(message, received);
    return received;
  }
  return std::nullopt;
}

// IPv6 is told with each datagram; IPv4 has but an option of the socket, which is turned when the wish changes.
bool UdpSocket::set_dont_fragment(bool dont_fragment) noexcept {
  if (forbids_fragments_ == dont_fragment) return true;
  if (!set_option(IPPROTO_IP, IP_MTU_DISCOVER, dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT)) return false;
  forbids_fragments_ = dont_fragment;
  return true;
}

bool UdpSocket::send(Bytes bytes, const Endpoint& to, const SendOptions& options) noexcept {
  sockaddr_storage address{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg reads only
  alignas(cmsghdr) std::array<std::uint8_t, 128> control{};
  std::size_t used = 0;
  const auto next = [&] { return reinterpret_cast<cmsghdr*>(control.data() + used); };
  const bool v4 = to.address.is_v4();
  if (options.local != nullptr) used += write_source(next(), *options.local, dual_stack_ || !options.local->is_v4());
  if (options.traffic_class != TrafficClass{}) {
    const int octet = options.traffic_class.octet;
    used += v4 ? write_int(next(), IPPROTO_IP, IP_TOS, octet) : write_int(next(), IPPROTO_IPV6, IPV6_TCLASS, octet);
  }
  if (v4 && !set_dont_fragment(options.dont_fragment)) return false;
  if (!v4 && options.dont_fragment) used += write_int(next(), IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = dual_stack_ ? to_mapped_sockaddr(to, address) : to_sockaddr(to, address);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = used != 0 ? control.data() : nullptr;
  message.msg_controllen = used;
  // The first call may report, and so take away, the error of an earlier datagram.
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (::sendmsg(descriptor_, &message, 0) >= 0) return true;
    if (errno == EAGAIN || errno == EMSGSIZE) return false;
  }
  return false;
}

std::optional<UdpSocket::Error> UdpSocket::next_error() noexcept {
  sockaddr_storage to{};
  alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
  for (;;) {
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof to;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(descriptor_, &message, MSG_ERRQUEUE) < 0) break;
    const auto endpoint = from_sockaddr(to);
    if (!endpoint) continue;
    if (const auto error = error_of(message, *endpoint)) return error;
  }
  int pending = 0;
  socklen_t length = sizeof pending;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &pending, &length);  // reading it takes it away
  return std::nullopt;
}

}  // namespace causeway::net
