// SPDX-License-Identifier: Apache-2.0
// A client over TCP or TLS. Frames that the socket does not take at once wait for the next send.
#pragma once

#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "load/octet_stream.hpp"
#include "load/relay_link.hpp"

namespace causeway::load {

class StreamLink final : public RelayLink {
 public:
  // Connects, and shakes hands where `context` is not null. Throws where either fails.
  StreamLink(const Endpoint& local, const Endpoint& remote, SSL_CTX* context);

  std::vector<std::uint8_t> ask(Bytes request) override;
  void prepare(const Framing& out, const Framing& in, const Burst& burst) override;
  bool send(Stamp first, std::size_t packets) override;
  void receive(Arrivals& arrivals) override;

 private:
  bool flush();
  std::size_t take_frames(Arrivals& arrivals);

  OctetStream stream_;
  std::optional<Framing> out_, in_;
  std::vector<std::uint8_t> frames_;   // of one burst
  std::vector<std::uint8_t> waiting_;  // to be sent
  std::vector<std::uint8_t> input_;    // the beginning of a frame, and room
  std::size_t received_ = 0;           // octets of input_
};

}  // namespace causeway::load
