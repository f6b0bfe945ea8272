// SPDX-License-Identifier: Apache-2.0
// One end of a path: a client of the relay, or a peer. It owns its socket.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "load/framing.hpp"

namespace causeway::load {

// How bursts leave and arrive.
struct Burst {
  std::size_t packets = 1;
  bool segment = false;   // one send with UDP_SEGMENT instead of one for each packet
  bool coalesce = false;  // UDP_GRO where packets arrive
  std::size_t read_batch = 1;
};

// Who is told of packets that arrive at a link.
class Arrivals {
 public:
  virtual ~Arrivals() = default;
  virtual void arrived(const Stamp& stamp) = 0;
  virtual void wrong() = 0;  // something arrived that nobody sent so
};

class Link {
 public:
  explicit Link(int descriptor) : descriptor_(descriptor) {}
  virtual ~Link() { ::close(descriptor_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  int descriptor() const noexcept { return descriptor_; }

  // Of setting up, blocking: one message there and one back. UDP sends it again every half second; throws
  // std::runtime_error when no answer comes for five.
  virtual std::vector<std::uint8_t> ask(Bytes request) = 0;

  // Of the load. All links of a run have the same Burst.
  virtual void prepare(const Framing& out, const Framing& in, const Burst& burst) = 0;
  // The first packet has this stamp, later ones the sequence numbers behind it. False: nothing was sent.
  virtual bool send(Stamp first, std::size_t packets) = 0;
  // What can be read without waiting, up to the read batch.
  virtual void receive(Arrivals& arrivals) = 0;

 private:
  int descriptor_;
};

}  // namespace causeway::load
