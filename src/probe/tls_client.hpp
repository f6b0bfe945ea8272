// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 or 1.3 as a client over a connected socket; over one for datagrams, DTLS 1.2.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "probe/connect.hpp"
#include "probe/socket.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace causeway::probe {

class TlsClient {
 public:
  static Result<TlsClient, ProbeError> handshake(Socket socket, const ProbeUri& uri, const CertificateCheck& check,
                                                 TimePoint deadline);

  // For people: version and certificate.
  const std::string& facts() const noexcept { return facts_; }

  // At least one octet, or 0 at the deadline. With DTLS, one whole record.
  Result<std::size_t, ProbeError> write(Bytes bytes, TimePoint deadline);
  Result<std::size_t, ProbeError> read(MutableBytes bytes, TimePoint deadline);

 private:
  struct Free {
    void operator()(SSL* session) const noexcept;
    void operator()(SSL_CTX* context) const noexcept;
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;

  TlsClient(Socket socket, std::unique_ptr<SSL, Free> session, bool datagrams)
      : socket_(std::move(socket)), session_(std::move(session)), datagrams_(datagrams) {}
  static Result<Context, ProbeError> make_context(const CertificateCheck& check, bool datagrams);
  static Result<TlsClient, ProbeError> start(Socket socket, const ProbeUri& uri, const CertificateCheck& check);

  // True when the operation that returned `result` may be tried again.
  Result<bool, ProbeError> wait_for(int result, TimePoint deadline);
  bool wait_readable(TimePoint deadline);

  Socket socket_;
  std::unique_ptr<SSL, Free> session_;
  bool datagrams_;
  std::string facts_;
};

}  // namespace causeway::probe
