// SPDX-License-Identifier: Apache-2.0
#include "probe/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "probe/advice.hpp"

namespace causeway::probe {
namespace {

// RFC 7443 §3.
constexpr std::array<unsigned char, 10> kAlpnTurn{9, 's', 't', 'u', 'n', '.', 't', 'u', 'r', 'n'};

std::string last_openssl_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

void expect_host(SSL* session, const ProbeUri& uri) {
  if (IpAddress::parse(uri.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), uri.host.c_str());
  } else {
    SSL_set1_host(session, uri.host.c_str());
    SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(uri.host.c_str()));
  }
}

}  // namespace

void TlsClient::Free::operator()(SSL* session) const noexcept {
  SSL_free(session);
}
void TlsClient::Free::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

Result<TlsClient::Context, ProbeError> TlsClient::make_context(const CertificateCheck& check) {
  Context context{SSL_CTX_new(TLS_client_method())};
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return ProbeError{"no TLS: " + last_openssl_error(), "OpenSSL on this machine does not provide TLS 1.2"};
  }
  SSL_CTX_set_verify(context.get(), check.skip ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const int loaded = check.authorities
                         ? SSL_CTX_load_verify_locations(context.get(), check.authorities->c_str(), nullptr)
                         : SSL_CTX_set_default_verify_paths(context.get());
  if (loaded != 1) {
    return ProbeError{"the certificates of authorities cannot be read: " + last_openssl_error(),
                      "--ca must name a readable PEM file"};
  }
  return context;
}

Result<TlsClient, ProbeError> TlsClient::handshake(Socket socket, const ProbeUri& uri, const CertificateCheck& check,
                                                   TimePoint deadline) {
  auto context = make_context(check);
  if (!context) return context.error();
  TlsClient client{std::move(socket), std::unique_ptr<SSL, Free>{SSL_new(context->get())}};
  SSL* session = client.session_.get();
  if (session == nullptr || SSL_set_fd(session, client.socket_.descriptor()) != 1) {
    return ProbeError{"no TLS: " + last_openssl_error(), "OpenSSL cannot start a session"};
  }
  expect_host(session, uri);
  if (uri.turn) SSL_set_alpn_protos(session, kAlpnTurn.data(), kAlpnTurn.size());
  for (;;) {
    const int result = SSL_connect(session);
    if (result == 1) return client;
    const long verified = SSL_get_verify_result(session);
    if (!check.skip && verified != X509_V_OK) {
      ERR_clear_error();
      return describe_certificate_error(verified, uri.host);
    }
    const auto again = client.wait_for(result, deadline);
    if (!again) {
      return ProbeError{"the TLS handshake failed: " + again.error().detail,
                        "The port speaks another protocol than TLS, or refuses TLS 1.2 and 1.3"};
    }
    if (!*again) {
      return ProbeError{"the TLS handshake does not end",
                        "The port speaks another protocol than TLS, or a firewall "
                        "looks into connections"};
    }
  }
}

Result<std::size_t, ProbeError> TlsClient::write(Bytes bytes, TimePoint deadline) {
  for (;;) {
    std::size_t written = 0;
    const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
    if (result == 1) return written;
    const auto again = wait_for(result, deadline);
    if (!again) return again.error();
    if (!*again) return std::size_t{0};
  }
}

Result<std::size_t, ProbeError> TlsClient::read(MutableBytes bytes, TimePoint deadline) {
  for (;;) {
    std::size_t size = 0;
    const int result = SSL_read_ex(session_.get(), bytes.data(), bytes.size(), &size);
    if (result == 1) return size;
    const auto again = wait_for(result, deadline);
    if (!again) return again.error();
    if (!*again) return std::size_t{0};
  }
}

Result<bool, ProbeError> TlsClient::wait_for(int result, TimePoint deadline) {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return socket_.wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return socket_.wait(POLLOUT, deadline);
    case SSL_ERROR_SYSCALL:
      return describe_socket_error("the connection ended", errno == 0 ? ECONNRESET : errno);
    case SSL_ERROR_ZERO_RETURN:
      return describe_socket_error("the server closed the connection", ECONNRESET);
    default:
      return ProbeError{last_openssl_error(), "The port speaks another protocol than TLS"};
  }
}

}  // namespace causeway::probe
