// SPDX-License-Identifier: Apache-2.0
// A client of the relay, or a peer.
#pragma once

#include <cstdint>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "load/framing.hpp"
#include "load/link.hpp"

namespace causeway::load {

// How bursts leave and arrive.
struct Burst {
  std::size_t packets = 1;
  bool segment = false;   // one send with UDP_SEGMENT instead of one for each packet
  bool coalesce = false;  // UDP_GRO where packets arrive
  std::size_t read_batch = 1;
};

class RelayLink : public Link {
 public:
  using Link::Link;

  // Of setting up, blocking: one message there and one back. UDP sends it again every half second; throws
  // std::runtime_error when no answer comes for five.
  virtual std::vector<std::uint8_t> ask(Bytes request) = 0;

  // Of the load. All links of a run have the same Burst.
  virtual void prepare(const Framing& out, const Framing& in, const Burst& burst) = 0;
};

}  // namespace causeway::load
