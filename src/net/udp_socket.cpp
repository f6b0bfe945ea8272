// SPDX-License-Identifier: Apache-2.0
#include "net/udp_socket.hpp"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>  // before the next one, which needs timespec
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/control_messages.hpp"
#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

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

}  // namespace

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(facts_, other.facts_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool UdpSocket::set_option(int level, int name, int value) noexcept {
  return ::setsockopt(descriptor_, level, name, &value, sizeof value) == 0;
}

bool UdpSocket::open_and_bind(const Endpoint& local, Purpose purpose) noexcept {
  const bool listener = purpose != Purpose::kRelay;
  const bool v6 = !local.address.is_v4();
  descriptor_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return false;
  const bool wildcard = local.address.is_unspecified();
  facts_.bound_address = local.address;
  facts_.dual_stack = listener && v6 && wildcard;
  bool ready = !v6 || set_option(IPPROTO_IPV6, IPV6_V6ONLY, facts_.dual_stack ? 0 : 1);
  if (listener && wildcard) {
    ready = ready && (v6 ? set_option(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set_option(IPPROTO_IP, IP_PKTINFO, 1));
  }
  if (!listener) {
    ready = ready && (v6 ? set_option(IPPROTO_IPV6, IPV6_RECVERR, 1) : set_option(IPPROTO_IP, IP_RECVERR, 1));
  }
  if (purpose == Purpose::kFellowListener) ready = ready && share_address();
  // What a system does not tell is not copied.
  if (v6) set_option(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  if (!v6 || facts_.dual_stack) set_option(IPPROTO_IP, IP_RECVTOS, 1);
  set_option(IPPROTO_UDP, UDP_GRO, 1);  // since Linux 5.0; without it datagrams come one by one
  set_option(SOL_SOCKET, SO_RXQ_OVFL, 1);
  // RFC 8656 §14: without DONT-FRAGMENT the DF bit is not set. The kernel may keep smaller buffers than asked for.
  if (!v6) set_option(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  set_option(SOL_SOCKET, SO_RCVBUF, int{kBufferBytes});
  set_option(SOL_SOCKET, SO_SNDBUF, int{kBufferBytes});
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(local, address);
  return ready && ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

bool UdpSocket::share_address() noexcept {
  return set_option(SOL_SOCKET, SO_REUSEPORT, 1);
}

bool UdpSocket::open(const Endpoint& local, Purpose purpose) noexcept {
  if (open_and_bind(local, purpose)) return true;
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

// IPv6 is told with each datagram; IPv4 has but an option of the socket, which is turned when the wish changes.
bool UdpSocket::set_dont_fragment(bool dont_fragment) noexcept {
  if (facts_.forbids_fragments == dont_fragment) return true;
  if (!set_option(IPPROTO_IP, IP_MTU_DISCOVER, dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT)) return false;
  facts_.forbids_fragments = dont_fragment;
  return true;
}

bool UdpSocket::send(Bytes bytes, const Endpoint& to, const SendOptions& options) noexcept {
  sockaddr_storage address{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg reads only
  SentControls controls;
  const bool v4 = to.address.is_v4();
  if (options.local != nullptr) controls.add_source(*options.local, facts_.dual_stack || !options.local->is_v4());
  if (options.traffic_class != TrafficClass{}) controls.add_traffic_class(options.traffic_class, to.address.family());
  if (v4 && !set_dont_fragment(options.dont_fragment)) return false;
  if (!v4 && options.dont_fragment) controls.add_ipv6_dont_fragment();
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = facts_.dual_stack ? to_mapped_sockaddr(to, address) : to_sockaddr(to, address);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  controls.attach_to(message);
  // The first call may report, and so take away, the error of an earlier datagram.
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (::sendmsg(descriptor_, &message, 0) >= 0) return true;
    if (errno == EAGAIN || errno == EMSGSIZE) return false;
  }
  return false;
}

std::size_t UdpSocket::receive_buffer_bytes() const noexcept {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, &length) != 0) return 0;
  return static_cast<std::size_t>(bytes) / 2;  // the kernel doubles what was asked for, for its own bookkeeping
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
