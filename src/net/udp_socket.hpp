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
  // A call may fail for what became of an earlier datagram, and a second time for what came back in between.
  static constexpr int kAttemptsMax = 3;
  // What is asked for each way, so that a burst of video is not lost while the loop does something else. The kernel may
  // grant less.
  static constexpr std::size_t kBufferBytes = 1 << 20;
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
  UdpSocket(UdpSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), facts_(other.facts_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  // kRelay: exactly this address, with errors to read. kListener: "::" takes both families, and a wildcard address has
  // the address asked reported. kFellowListener: beside one that has called share_address(). Where the kernel can, it
  // hands over several datagrams of one flow at once (UDP_GRO).
  enum class Purpose : std::uint8_t { kRelay, kListener, kFellowListener };
  // False, with errno set and the socket closed, when that is not possible.
  bool open(const Endpoint& local, Purpose purpose) noexcept;

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  std::optional<Endpoint> local_endpoint() const noexcept;

  // Lets sockets of the purpose kFellowListener bind to the same address from now on. It was this one's alone before,
  // so that no other program has it. False, with errno set, where the system does not know this.
  bool share_address() noexcept;

  const IpAddress& bound_address() const noexcept { return facts_.bound_address; }
  bool is_dual_stack() const noexcept { return facts_.dual_stack; }
  // The kernel's count of datagrams lost to a full buffer as it stands now; returns by how many it has grown.
  std::uint32_t note_drops(std::uint32_t drops) noexcept { return drops - std::exchange(facts_.drops, drops); }
  // What the kernel granted; 0 when it does not say.
  std::size_t receive_buffer_bytes() const noexcept;

  // For those who send by the descriptor: datagrams of IPv4 are to be fragmented from now on.
  void allow_fragments() noexcept { set_dont_fragment(false); }
  // Whether UDP_SEGMENT works here; once it has not, it is not tried again.
  bool sends_segments() const noexcept { return facts_.sends_segments; }
  void give_up_segments() noexcept { facts_.sends_segments = false; }
  // False, with errno set, when the kernel did not take it. An error of an earlier datagram is no reason.
  bool send(Bytes bytes, const Endpoint& to, const SendOptions& options) noexcept;
  // The next error of a relay's socket; nullopt when there is none, and then none is pending either.
  std::optional<Error> next_error() noexcept;

 private:
  bool open_and_bind(const Endpoint& local, Purpose purpose) noexcept;
  bool set_dont_fragment(bool dont_fragment) noexcept;
  bool set_option(int level, int name, int value) noexcept;

  struct Facts {
    IpAddress bound_address;
    std::uint32_t drops = 0;
    bool forbids_fragments = false;  // the DF bit of an IPv4 socket as it is set now
    bool dual_stack = false;         // an AF_INET6 socket that takes IPv4 too, as IPv4-mapped addresses
    bool sends_segments = true;
  };
  int descriptor_ = -1;
  Facts facts_;
};

}  // namespace causeway::net
