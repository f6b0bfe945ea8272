// SPDX-License-Identifier: Apache-2.0
// A non-blocking UDP socket by its descriptor, for the sockets of the DatagramLoop. Owns the descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"

namespace causeway::net {

class UdpSocket {
 public:
  struct Received {
    Endpoint from;
    IpAddress local;  // where it was sent to; only with the local address asked for, else the wildcard
    std::size_t bytes = 0;
  };

  UdpSocket() = default;
  UdpSocket(UdpSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), dual_stack_(other.dual_stack_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  // kRelay: exactly this address. kListener: "::" takes both families, and the address asked is reported.
  enum class Purpose : std::uint8_t { kRelay, kListener };
  // False, with errno set and the socket closed, when that is not possible.
  bool open(const Endpoint& local, Purpose purpose) noexcept;

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  std::optional<Endpoint> local_endpoint() const noexcept;

  // nullopt when there is nothing to read now; a datagram larger than the buffer is cut.
  std::optional<Received> receive(MutableBytes buffer) noexcept;
  // From `local`, where it is given. False when the kernel did not take it.
  bool send(Bytes bytes, const Endpoint& to, const IpAddress* local = nullptr) noexcept;

 private:
  bool open_and_bind(const Endpoint& local, bool listener) noexcept;
  bool set_option(int level, int name, int value) noexcept;

  int descriptor_ = -1;
  bool dual_stack_ = false;  // an AF_INET6 socket that takes IPv4 too, as IPv4-mapped addresses
};

}  // namespace causeway::net
