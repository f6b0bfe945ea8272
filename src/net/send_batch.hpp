// SPDX-License-Identifier: Apache-2.0
// The datagrams that one wake-up sends, collected and handed to the kernel together. Those of one flow, from a socket
// to an address, keep their order; where they are of one size, they leave as one call with UDP_SEGMENT, for which the
// kernel walks its path once. One for all sockets of a loop. Allocates nothing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/traffic_class.hpp"
#include "net/control_messages.hpp"
#include "net/udp_socket.hpp"

namespace causeway::net {

struct SendCounters {
  std::uint64_t failures = 0;           // datagrams that the kernel did not take: full buffer, no route
  std::uint64_t segmented_sends = 0;    // calls that sent several datagrams
  std::uint64_t segment_fallbacks = 0;  // such calls that the kernel refused: the datagrams were sent one by one
};

class SendBatch {
 public:
  static constexpr std::size_t kDatagramsMax = 256;
  // In front of the segment it was received in, a datagram reaches as far as the header of a Data indication.
  static constexpr std::size_t kHeadBytesMax = 48;

  struct Flow {
    UdpSocket* socket;  // outlives flush()
    Endpoint to;
    const IpAddress* source = nullptr;  // where the socket is bound to a wildcard address
    TrafficClass traffic_class{};
  };

  bool is_full() const noexcept { return datagrams_used_ == kDatagramsMax; }
  bool empty() const noexcept { return datagrams_used_ == 0; }
  // Not when it is full. The octets are read by flush(), except those that lie in front of and behind `segment`, which
  // are copied: they belong to the segment's neighbours. An empty one: all of the datagram is its own.
  void add(const Flow& flow, Bytes datagram, Bytes segment) noexcept;
  // Sends all. An error towards one address ends nothing: the datagrams are lost, as on any network.
  void flush() noexcept;

  const SendCounters& counters() const noexcept { return counters_; }

 private:
  using Index = std::uint16_t;
  static constexpr Index kNone = 0xFFFF;

  struct Datagram {
    Bytes body;
    std::uint8_t head_bytes;
    std::uint8_t tail_bytes;  // of padding, which is zero
    Index next;               // of its run
    std::array<std::uint8_t, kHeadBytesMax> head;

    std::size_t parts() const noexcept { return 1u + (head_bytes != 0 ? 1 : 0) + (tail_bytes != 0 ? 1 : 0); }
  };
  // Datagrams of one flow that leave by one call: all of one size, except the last, which may be shorter.
  struct Run {
    UdpSocket* socket;
    Endpoint to;
    IpAddress source;
    bool has_source;
    bool is_complete;  // takes no more
    TrafficClass traffic_class;
    Index first;
    Index last;
    std::uint16_t count;
    std::size_t segment_bytes;
    std::size_t total_bytes;
  };

  Index find_run(const Flow& flow, std::uint64_t key, std::size_t bytes) const noexcept;
  Index new_run(const Flow& flow, std::uint64_t key, std::size_t bytes) noexcept;
  bool may_segment(const UdpSocket& socket, std::uint64_t key) const noexcept;
  void build(std::size_t run) noexcept;
  void write_controls(std::size_t run, bool segmented) noexcept;
  std::size_t append_parts(const Datagram& datagram, std::size_t at) noexcept;
  // Those from `first` on are of one socket.
  void send_runs(std::size_t first, std::size_t end) noexcept;
  int send(std::size_t first, std::size_t end) noexcept;
  void send_one_by_one(std::size_t run, int error) noexcept;

  std::array<Datagram, kDatagramsMax> datagrams_;  // NOLINT: written before they are read, like the rest
  std::size_t datagrams_used_ = 0;
  std::array<std::uint64_t, kDatagramsMax> keys_;  // of the runs: what is compared first
  std::array<Run, kDatagramsMax> runs_;
  std::size_t runs_used_ = 0;

  std::array<mmsghdr, kDatagramsMax> messages_;
  std::array<sockaddr_storage, kDatagramsMax> names_;
  std::array<SentControls, kDatagramsMax> controls_;
  std::array<iovec, 3 * kDatagramsMax> parts_;
  std::size_t parts_used_ = 0;

  // Flows on whose route UDP_SEGMENT has failed, by their keys: a small path MTU. Whoever shares a place with another
  // one may cost it another attempt.
  std::array<std::uint64_t, 64> unsegmentable_{};
  SendCounters counters_;
};

}  // namespace causeway::net
