// SPDX-License-Identifier: Apache-2.0
#include "probe/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "net/system_clock.hpp"
#include "probe/advice.hpp"
#include "probe/certificate_facts.hpp"

namespace causeway::probe {
namespace {

// RFC 7443 §3.
constexpr long kDatagramPayloadMax = 1200;  // passes any path of today
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

// OpenSSL has to know the address, although the socket is connected.
bool set_datagrams(SSL* session, int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  BIO* bio = BIO_new_dgram(descriptor, BIO_NOCLOSE);
  if (bio == nullptr) return false;
  BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
  SSL_set_bio(session, bio, bio);
  SSL_set_options(session, SSL_OP_NO_QUERY_MTU);
  SSL_set_mtu(session, kDatagramPayloadMax);
  return true;
}

}  // namespace

void TlsClient::Free::operator()(SSL* session) const noexcept {
  SSL_free(session);
}
void TlsClient::Free::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

Result<TlsClient::Context, ProbeError> TlsClient::make_context(const CertificateCheck& check, bool datagrams) {
  Context context{SSL_CTX_new(datagrams ? DTLS_client_method() : TLS_client_method())};
  const int version_min = datagrams ? DTLS1_2_VERSION : TLS1_2_VERSION;
  if (!context || SSL_CTX_set_min_proto_version(context.get(), version_min) != 1) {
    return ProbeError{"no TLS: " + last_openssl_error(), "OpenSSL on this machine does not provide TLS 1.2"};
  }
  // handshake() looks at the result itself: then the certificate that was refused can be described.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const int loaded = check.authorities
                         ? SSL_CTX_load_verify_locations(context.get(), check.authorities->c_str(), nullptr)
                         : SSL_CTX_set_default_verify_paths(context.get());
  if (loaded != 1) {
    return ProbeError{"the certificates of authorities cannot be read: " + last_openssl_error(),
                      "--ca must name a readable PEM file"};
  }
  return context;
}

Result<TlsClient, ProbeError> TlsClient::start(Socket socket, const ProbeUri& uri, const CertificateCheck& check) {
  const bool datagrams = is_datagram(uri.transport);
  auto context = make_context(check, datagrams);
  if (!context) return context.error();
  TlsClient client{std::move(socket), std::unique_ptr<SSL, Free>{SSL_new(context->get())}, datagrams};
  SSL* session = client.session_.get();
  const bool ready = session != nullptr && (datagrams ? set_datagrams(session, client.socket_.descriptor())
                                                      : SSL_set_fd(session, client.socket_.descriptor()) == 1);
  if (!ready) return ProbeError{"no TLS: " + last_openssl_error(), "OpenSSL cannot start a session"};
  expect_host(session, uri);
  if (uri.turn) SSL_set_alpn_protos(session, kAlpnTurn.data(), kAlpnTurn.size());
  return client;
}

Result<TlsClient, ProbeError> TlsClient::handshake(Socket socket, const ProbeUri& uri, const CertificateCheck& check,
                                                   TimePoint deadline) {
  auto client = start(std::move(socket), uri, check);
  if (!client) return client.error();
  SSL* session = client->session_.get();
  const std::string tls = is_datagram(uri.transport) ? "DTLS" : "TLS";
  for (int result = SSL_connect(session); result != 1; result = SSL_connect(session)) {
    const auto again = client->wait_for(result, deadline);
    if (!again) {
      ProbeError error = again.error();
      error.detail = "the " + tls + " handshake failed: " + error.detail;
      if (error.system_error != ECONNREFUSED) {
        error.advice = "The port speaks another protocol than " + tls + ", or refuses its version 1.2";
      }
      return error;
    }
    if (!*again) {
      return ProbeError{"the " + tls + " handshake does not end",
                        "The port speaks another protocol than " + tls + ", or a firewall " +
                            (is_datagram(uri.transport) ? "drops UDP to it" : "looks into connections")};
    }
  }
  client->facts_ = certificate_facts(session, uri.host, read_clock().wall);
  const long verified = SSL_get_verify_result(session);
  if (verified == X509_V_OK) return client;
  if (!check.skip) return describe_certificate_error(verified, uri.host, client->facts_);
  client->facts_ += std::string{"; accepted because of --insecure although "} + X509_verify_cert_error_string(verified);
  return client;
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
      return wait_readable(deadline);
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

// With DTLS the last flight of messages is sent again until an answer comes.
bool TlsClient::wait_readable(TimePoint deadline) {
  timeval left{};
  if (!datagrams_ || DTLSv1_get_timeout(session_.get(), &left) != 1) return socket_.wait(POLLIN, deadline);
  const TimePoint resend =
      read_clock().steady + std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
  if (socket_.wait(POLLIN, std::min(deadline, resend))) return true;
  if (deadline <= resend) return false;
  DTLSv1_handle_timeout(session_.get());
  return true;
}

}  // namespace causeway::probe
