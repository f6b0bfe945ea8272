// SPDX-License-Identifier: Apache-2.0
// A non-blocking UDP socket by its descriptor, for the sockets of the DatagramLoop. Owns the descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/traffic_class.hpp"

namespace causeway::net {

class UdpSocket {
 public:
  struct Received {
    Endpoint from;
    IpAddress local;  // where it was sent to; only with the local address asked for, else the wildcard
    std::size_t bytes = 0;
    TrafficClass traffic_class{};
  };
  struct SendOptions {
    const IpAddress* local = nullptr;  // send from here
    TrafficClass traffic_class{};
    bool dont_fragment = false;  // this datagram alone
  };
  // What became of a datagram that was sent: an ICMP error, or one of this machine that an ICMP error could have been.
  struct Error {
    Endpoint to;  // port 0 where this machine does not say
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // of "packet too big"
  };

  UdpSocket() = default;
  UdpSocket(UdpSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        forbids_fragments_(other.forbids_fragments_),
        dual_stack_(other.dual_stack_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  // kRelay: exactly this address, with errors to read. kListener: "::" takes both families, and the address asked is
  // reported.
  enum class Purpose : std::uint8_t { kRelay, kListener };
  // False, with errno set and the socket closed, when that is not possible.
  bool open(const Endpoint& local, Purpose purpose) noexcept;

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  std::optional<Endpoint> local_endpoint() const noexcept;

  // nullopt when there is nothing to read now; a datagram larger than the buffer is cut.
  std::optional<Received> receive(MutableBytes buffer) noexcept;
  // False, with errno set, when the kernel did not take it. An error of an earlier datagram is no reason.
  bool send(Bytes bytes, const Endpoint& to, const SendOptions& options) noexcept;
  // The next error of a relay's socket; nullopt when there is none, and then none is pending either.
  std::optional<Error> next_error() noexcept;

 private:
  bool open_and_bind(const Endpoint& local, bool listener) noexcept;
  bool set_dont_fragment(bool dont_fragment) noexcept;
  bool set_option(int level, int name, int value) noexcept;

  int descriptor_ = -1;
  bool forbids_fragments_ = false;  // the DF bit of an IPv4 socket as it is set now
  bool dual_stack_ = false;         // an AF_INET6 socket that takes IPv4 too, as IPv4-mapped addresses
};

}  // namespace causeway::net
