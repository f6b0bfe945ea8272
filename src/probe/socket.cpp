// SPDX-License-Identifier: Apache-2.0
#include "probe/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "net/endpoint_conversion.hpp"
#include "net/system_clock.hpp"
#include "probe/advice.hpp"

namespace causeway::probe {

Result<Socket, ProbeError> Socket::connect(int type, const Endpoint& server, TimePoint deadline) {
  const int family = server.address.is_v4() ? AF_INET : AF_INET6;
  Socket opened{::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (opened.descriptor_ < 0) return describe_socket_error("no socket", errno);
  const int on = 1;  // each message is a question that waits for its answer
  if (type == SOCK_STREAM) ::setsockopt(opened.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage address{};
  const socklen_t size = net::to_sockaddr(server, address);
  if (::connect(opened.descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0) return opened;
  if (errno != EINPROGRESS) return describe_socket_error("not connected", errno);
  if (!opened.wait(POLLOUT, deadline)) return describe_socket_error("not connected", ETIMEDOUT);
  int error = 0;
  socklen_t error_size = sizeof error;
  if (::getsockopt(opened.descriptor_, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) error = errno;
  if (error != 0) return describe_socket_error("not connected", error);
  return opened;
}

Result<Socket, ProbeError> Socket::unconnected(AddressFamily family) {
  Socket opened{
      ::socket(family == AddressFamily::kIPv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (opened.descriptor_ < 0) return describe_socket_error("no socket", errno);
  return opened;
}

std::optional<IpAddress> Socket::local_address() const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
  const auto local = net::from_sockaddr(storage);
  return local ? std::optional{local->address} : std::nullopt;
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Socket::wait(short events, TimePoint deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - read_clock().steady);
    pollfd waiting{descriptor_, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace causeway::probe
