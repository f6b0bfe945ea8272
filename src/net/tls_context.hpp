// SPDX-License-Identifier: Apache-2.0
// Certificate, key and rules for TLS as a server: TLS 1.2 and 1.3, forward-secret AEAD cipher suites, ALPN.
// The composition root owns it; streams that were accepted with it keep what they need of it alive.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "causeway/base/time.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace causeway::net {

class TlsContext {
 public:
  // TLS and DTLS 1.2; all suites of TLS 1.3 are fine.
  // Deviation: RFC 8489 §6.2.3 and RFC 7350 §3 name TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 beside the one with ECDHE. BCP
  // 195 (RFC 9325 §4.1), which RFC 8489 §16 asks to follow, has since advised against finite-field DHE.
  static constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

  // Reads PEM files: the certificate followed by its intermediates, and the private key (without a passphrase).
  // Throws std::runtime_error with a sentence that names the file and says what is wrong with it. A certificate that
  // has expired is no error here: not_after() tells.
  TlsContext(const std::filesystem::path& certificate_chain, const std::filesystem::path& private_key);

  SSL_CTX* native_handle() const noexcept { return context_.get(); }
  WallTime not_before() const noexcept { return not_before_; }
  WallTime not_after() const noexcept { return not_after_; }
  // Signed with its own key: no browser trusts it by itself.
  bool is_self_signed() const noexcept { return is_self_signed_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const noexcept;
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  WallTime not_before_{};
  WallTime not_after_{};
  bool is_self_signed_ = false;
};

// Makes `context` choose among these protocols by ALPN; `protocols` is as RFC 7301 §3.1 puts them on the wire and
// outlives the context.
void select_protocols(SSL_CTX* context, const char* protocols);

// Makes `context` take any name that a client asks for by SNI (RFC 6066 §3) and remember it in resumed sessions.
void accept_server_names(SSL_CTX* context);
// The name that the client of a finished handshake asked for; empty: none.
std::string server_name_of(const SSL* ssl);

}  // namespace causeway::net
