// SPDX-License-Identifier: Apache-2.0
// One end of a path. It owns its socket.
#pragma once

#include <unistd.h>

#include <cstddef>

#include "load/stamp.hpp"

namespace causeway::load {

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

  // The first packet has this stamp, later ones the sequence numbers behind it. False: nothing was sent.
  virtual bool send(Stamp first, std::size_t packets) = 0;
  // What can be read without waiting.
  virtual void receive(Arrivals& arrivals) = 0;

 private:
  int descriptor_;
};

}  // namespace causeway::load
