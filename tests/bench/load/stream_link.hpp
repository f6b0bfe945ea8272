// SPDX-License-Identifier: Apache-2.0
// A client over TCP or TLS. Frames that the socket does not take at once wait for the next send.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "causeway/base/endpoint.hpp"
#include "load/link.hpp"

namespace causeway::load {

struct SslDeleter {
  void operator()(SSL* session) const noexcept { SSL_free(session); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslDeleter>;

// Believes any certificate: what is measured is on this machine.
TlsContext make_tls_context();

class StreamLink final : public Link {
 public:
  // Connects, and shakes hands where `context` is not null. Throws where either fails.
  StreamLink(const Endpoint& local, const Endpoint& remote, SSL_CTX* context);

  std::vector<std::uint8_t> ask(Bytes request) override;
  void prepare(const Framing& out, const Framing& in, const Burst& burst) override;
  bool send(Stamp first, std::size_t packets) override;
  void receive(Arrivals& arrivals) override;

 private:
  // Octets written or read; 0 when the socket would have to wait, or has ended.
  std::size_t write_some(Bytes from);
  std::size_t read_some(MutableBytes to);
  bool flush();
  std::size_t take_frames(Arrivals& arrivals);

  std::unique_ptr<SSL, SslDeleter> tls_;
  std::optional<Framing> out_, in_;
  std::vector<std::uint8_t> frames_;   // of one burst
  std::vector<std::uint8_t> waiting_;  // to be sent
  std::vector<std::uint8_t> input_;    // the beginning of a frame, and room
  std::size_t received_ = 0;           // octets of input_
};

}  // namespace causeway::load
