// SPDX-License-Identifier: Apache-2.0
// Where the datagrams of one wake-up lie: slots with room in front of and behind each, filled by recvmmsg(2), several
// datagrams a call. With UDP_GRO a slot may hold several datagrams of one flow, one behind the other.
// One for all sockets of a loop: 4 MiB of address space, of which the kernel gives out what is touched.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/traffic_class.hpp"
#include "net/udp_socket.hpp"

namespace causeway::net {

struct Received {
  Endpoint from;
  IpAddress local;                // where it was sent to
  MutableBytes bytes;             // kHeadroomBytes in front and kTailroomBytes behind belong to it
  std::size_t segment_bytes = 0;  // datagrams of this size, the last one may be shorter; at least bytes.size() for one
  TrafficClass traffic_class{};

  bool is_one() const noexcept { return bytes.size() <= segment_bytes; }
};

class ReceiveBatch {
 public:
  static constexpr std::size_t kSlots = 64;

  ReceiveBatch();

  std::size_t free_slots() const noexcept { return kSlots - used_; }
  // Forgets all that was received.
  void clear() noexcept { used_ = 0; }
  // Up to `datagrams_max` more, as many as there are and as slots are free; valid until clear().
  std::span<const Received> receive(UdpSocket& socket, std::size_t datagrams_max) noexcept;
  // The kernel lost as many because a socket's buffer was full.
  std::uint64_t kernel_drops() const noexcept { return kernel_drops_; }

 private:
  static constexpr std::size_t kControlBytes = 128;

  void prepare(std::size_t slot) noexcept;
  void take(UdpSocket& socket, std::size_t slot) noexcept;

  std::unique_ptr<std::uint8_t[]> memory_;  // NOLINT: not zeroed, which would touch all of it
  std::array<mmsghdr, kSlots> messages_{};
  std::array<iovec, kSlots> parts_{};
  std::array<sockaddr_storage, kSlots> names_{};
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlBytes> octets;
  };
  std::array<Control, kSlots> controls_{};
  std::array<Received, kSlots> received_{};
  std::size_t used_ = 0;
  std::uint64_t kernel_drops_ = 0;
};

}  // namespace causeway::net
