// SPDX-License-Identifier: Apache-2.0
// A TCP connection of a client, with or without TLS, on a socket that somebody else owns.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"

namespace causeway::load {

struct SslDeleter {
  void operator()(SSL* session) const noexcept { SSL_free(session); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslDeleter>;

// Believes any certificate: what is measured is on this machine.
TlsContext make_tls_context();

// Bound to `local`, not connected. `flags`: SOCK_NONBLOCK or 0.
int open_stream_socket(const Endpoint& local, int flags);

class OctetStream {
 public:
  // With TLS where `context` is not null; the first write or read shakes hands.
  OctetStream(int descriptor, SSL_CTX* context);

  // True when it is connected, or begins to be: what is written or read before it is would have to wait.
  bool connect(const Endpoint& remote);
  bool shake_hands();  // blocking

  bool is_tls() const noexcept { return tls_ != nullptr; }
  bool has_ended() const noexcept { return ended_; }

  // Octets written or read; 0 when the socket would have to wait, or has ended.
  std::size_t write_some(Bytes from);
  std::size_t read_some(MutableBytes to);

 private:
  std::size_t transferred(long result);

  int descriptor_;
  std::unique_ptr<SSL, SslDeleter> tls_;
  bool ended_ = false;
};

}  // namespace causeway::load
