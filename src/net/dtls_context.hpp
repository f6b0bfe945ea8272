// SPDX-License-Identifier: Apache-2.0
// The rules for DTLS 1.2 as a server (RFC 7350): the certificate of a TlsContext, forward-secret AEAD cipher suites,
// cookies, ALPN (RFC 7443), no renegotiation, no resumption. Shared by the DtlsEndpoint and the sessions made with it.
#pragma once

#include <memory>

#include "net/tls_context.hpp"

using BIO_METHOD = struct bio_method_st;

namespace causeway::net {

class DtlsContext {
 public:
  // A flight of handshake messages is cut to datagrams of this size, which any path carries: 1280 octets, the least
  // MTU of IPv6, without the headers of IPv6 and UDP. Data is not cut: one message, one record.
  static constexpr long kHandshakeDatagramBytes = 1280 - 40 - 8;

  // Shares certificate and key with `certificate`, which need not outlive it. Throws std::runtime_error.
  explicit DtlsContext(const TlsContext& certificate);

  SSL_CTX* native_handle() const noexcept { return context_.get(); }
  // A BIO whose data is a DtlsSession: one datagram in, datagrams out as they are written.
  const BIO_METHOD* datagram_method() const noexcept { return method_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const noexcept;
    void operator()(BIO_METHOD* method) const noexcept;
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<BIO_METHOD, Free> method_;
};

}  // namespace causeway::net
