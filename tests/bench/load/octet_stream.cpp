// SPDX-License-Identifier: Apache-2.0
#include "load/octet_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

#include "load/socket_address.hpp"

namespace causeway::load {

TlsContext make_tls_context() {
  TlsContext context{SSL_CTX_new(TLS_client_method())};
  if (!context) throw std::runtime_error("OpenSSL makes no TLS client");
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

int open_stream_socket(const Endpoint& local, int flags) {
  const int descriptor = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
  const int on = 1;
  // The port is chosen when it connects: one that another server's client has will do as well.
  check(::setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), "IP_BIND_ADDRESS_NO_PORT");
  check(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  const sockaddr_in from = to_sockaddr(local);
  check(::bind(descriptor, reinterpret_cast<const sockaddr*>(&from), sizeof from), "bind");
  return descriptor;
}

OctetStream::OctetStream(int descriptor, SSL_CTX* context) : descriptor_(descriptor) {
  if (context == nullptr) return;
  tls_.reset(SSL_new(context));
  SSL_set_fd(tls_.get(), descriptor);
  SSL_set_connect_state(tls_.get());
}

bool OctetStream::connect(const Endpoint& remote) {
  const sockaddr_in to = to_sockaddr(remote);
  return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS;
}

bool OctetStream::shake_hands() {
  return SSL_do_handshake(tls_.get()) == 1;
}

std::size_t OctetStream::write_some(Bytes from) {
  if (!tls_) return transferred(::send(descriptor_, from.data(), from.size(), MSG_NOSIGNAL));
  ERR_clear_error();
  return transferred(SSL_write(tls_.get(), from.data(), static_cast<int>(from.size())));
}

std::size_t OctetStream::read_some(MutableBytes to) {
  if (!tls_) return transferred(::recv(descriptor_, to.data(), to.size(), 0));
  ERR_clear_error();
  return transferred(SSL_read(tls_.get(), to.data(), static_cast<int>(to.size())));
}

std::size_t OctetStream::transferred(long result) {
  if (result > 0) return static_cast<std::size_t>(result);
  if (tls_) {
    const int error = SSL_get_error(tls_.get(), static_cast<int>(result));
    ended_ = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
  } else {
    ended_ = result == 0 || (errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS);
  }
  return 0;
}

}  // namespace causeway::load
