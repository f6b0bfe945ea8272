// SPDX-License-Identifier: Apache-2.0
// A connected UDP socket over IPv4: the kernel checks where packets come from.
#pragma once

#include <memory>

#include "causeway/base/endpoint.hpp"
#include "load/relay_link.hpp"

namespace causeway::load {

class DatagramLink final : public RelayLink {
 public:
  // Bound to `local` (port 0: any). It is not connected yet.
  explicit DatagramLink(const Endpoint& local);
  void connect(const Endpoint& remote);
  Endpoint local() const;

  std::vector<std::uint8_t> ask(Bytes request) override;
  void prepare(const Framing& out, const Framing& in, const Burst& burst) override;
  bool send(Stamp first, std::size_t packets) override;
  void receive(Arrivals& arrivals) override;

 private:
  bool send_segmented(std::size_t packets);
  bool send_each(std::size_t packets);

  std::optional<Framing> out_, in_;
  Burst burst_;
  std::vector<std::uint8_t> frames_;  // of one burst
};

}  // namespace causeway::load
