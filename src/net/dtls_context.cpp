// SPDX-License-Identifier: Apache-2.0
#include "net/dtls_context.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <stdexcept>

#include "net/dtls_session.hpp"

namespace causeway::net {
namespace {

// RFC 7443 §3, as RFC 7301 §3.1 puts it on the wire.
constexpr const char* kProtocols = "\x09stun.turn\x12stun.nat-discovery";

// What a stranger's fragments of one handshake message may take. A client sends no certificate.
constexpr long kHandshakeMessageBytesMax = 16 * 1024;

DtlsSession& session_of(BIO* bio) {
  return *static_cast<DtlsSession*>(BIO_get_data(bio));
}

int read_datagram(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  const Bytes datagram = session_of(bio).take_incoming();
  if (datagram.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t bytes = std::min(datagram.size(), static_cast<std::size_t>(size));
  std::copy_n(datagram.begin(), bytes, reinterpret_cast<std::uint8_t*>(out));
  return static_cast<int>(bytes);
}

int write_datagram(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  session_of(bio).send_outgoing({reinterpret_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size)});
  return size;
}

long control_datagrams(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int generate_cookie(SSL* ssl, unsigned char* cookie, unsigned int* length) {
  const auto made = static_cast<const DtlsSession*>(SSL_get_app_data(ssl))->make_cookie();
  std::copy(made.begin(), made.end(), cookie);
  *length = static_cast<unsigned int>(made.size());
  return 1;
}

int verify_cookie(SSL* ssl, const unsigned char* cookie, unsigned int length) {
  return static_cast<const DtlsSession*>(SSL_get_app_data(ssl))->is_valid_cookie({cookie, length}) ? 1 : 0;
}

}  // namespace

void DtlsContext::Free::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

void DtlsContext::Free::operator()(BIO_METHOD* method) const noexcept {
  BIO_meth_free(method);
}

DtlsContext::DtlsContext(const TlsContext& certificate)
    : context_(SSL_CTX_new(DTLS_server_method())), method_(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagram")) {
  if (!context_ || !method_) throw std::runtime_error("OpenSSL cannot make a DTLS context (out of memory?)");
  BIO_meth_set_read(method_.get(), read_datagram);
  BIO_meth_set_write(method_.get(), write_datagram);
  BIO_meth_set_ctrl(method_.get(), control_datagrams);

  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
  // Without tickets and cache a client that has lost its session makes a new one, and nothing is kept for it.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_NO_QUERY_MTU | SSL_OP_COOKIE_EXCHANGE | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kHandshakeMessageBytesMax);
  SSL_CTX_set_cookie_generate_cb(context, generate_cookie);
  SSL_CTX_set_cookie_verify_cb(context, verify_cookie);
  select_protocols(context, kProtocols);
  accept_server_names(context);

  SSL_CTX* source = certificate.native_handle();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(source, &chain);
  if (SSL_CTX_set_cipher_list(context, TlsContext::kCiphers) != 1 ||
      SSL_CTX_use_cert_and_key(context, SSL_CTX_get0_certificate(source), SSL_CTX_get0_privatekey(source), chain, 1) !=
          1) {
    throw std::runtime_error("OpenSSL does not take the TLS certificate for DTLS");
  }
}

}  // namespace causeway::net
