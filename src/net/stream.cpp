// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>

#include "net/tls_context.hpp"

namespace causeway::net {

Stream::Stream(tcp::socket socket) : socket_(std::move(socket)) {
  // Both fail only where the connection is gone already, which the first read reports.
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
}

Stream Stream::move_to(const asio::any_io_executor& executor) && {
  error_code error;
  const tcp protocol = socket_.local_endpoint(error).protocol();
  tcp::socket socket{executor};
  if (!error) socket.assign(protocol, socket_.release(error), error);
  Stream moved{std::move(socket)};
  moved.ssl_ = std::move(ssl_);
  moved.tls_usable_ = std::exchange(tls_usable_, false);
  return moved;
}

std::string Stream::server_name() const {
  return ssl_ ? server_name_of(ssl_.get()) : std::string{};
}

void Stream::FreeSsl::operator()(SSL* ssl) const noexcept {
  SSL_free(ssl);
}

error_code Stream::start_tls(const TlsContext& context) {
  if (!socket_.is_open()) return asio::error::operation_aborted;
  ERR_clear_error();
  ssl_.reset(SSL_new(context.native_handle()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) return asio::error::no_memory;
  SSL_set_accept_state(ssl_.get());
  return {};
}

std::optional<tcp::socket::wait_type> Stream::handshake_now(error_code& error) noexcept {
  // A closed socket's descriptor may belong to another connection already: never let OpenSSL touch it.
  error = socket_.is_open() ? error_code{} : error_code{asio::error::operation_aborted};
  if (error) return std::nullopt;
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  tls_usable_ = result == 1;
  if (tls_usable_) return std::nullopt;
  const Attempt attempt = tls_attempt(result);
  error = attempt.error;
  return attempt.wait;
}

Stream::Attempt Stream::try_read(asio::mutable_buffer buffer) noexcept {
  if (!socket_.is_open()) return {.error = asio::error::operation_aborted};
  Attempt attempt;
  drained_ = false;
  while (buffer.size() > 0) {
    ERR_clear_error();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &bytes);
    if (result != 1) {
      const Attempt failed = tls_attempt(result);  // a lasting error shows again next time
      return attempt.bytes > 0 ? attempt : failed;
    }
    attempt.bytes += bytes;
    buffer += bytes;
    if (SSL_has_pending(ssl_.get()) != 1) {
      drained_ = attempt.bytes < kRecordBytesMax / 2;  // more would have filled what OpenSSL reads into
      break;
    }
  }
  return attempt;
}

Stream::Attempt Stream::try_write(std::span<const asio::const_buffer> buffers) noexcept {
  if (!socket_.is_open()) return {.error = asio::error::operation_aborted};
  while (!buffers.empty() && buffers.front().size() == 0)
    buffers = buffers.subspan(1);
  if (buffers.empty()) return {};
  std::array<std::uint8_t, kRecordBytesMax> record;  // NOLINT: written before it is read
  asio::const_buffer out = buffers.front();
  if (buffers.size() > 1 && out.size() < kRecordBytesMax) {
    out = asio::buffer(record.data(), asio::buffer_copy(asio::buffer(record), buffers));
  }
  ERR_clear_error();
  errno = 0;
  Attempt attempt;
  const int result = SSL_write_ex(ssl_.get(), out.data(), std::min(out.size(), kRecordBytesMax), &attempt.bytes);
  return result == 1 ? attempt : tls_attempt(result);
}

std::size_t Stream::read_now(MutableBytes buffer, error_code& error) noexcept {
  error.clear();
  std::size_t bytes = 0;
  if (is_tls()) {
    const Attempt attempt = try_read(asio::buffer(buffer.data(), buffer.size()));
    bytes = attempt.bytes;
    error = attempt.wait || std::exchange(drained_, false) ? error_code(asio::error::would_block) : attempt.error;
  } else {
    bytes = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
    if (!error && bytes < buffer.size()) error = asio::error::would_block;
  }
  return bytes;
}

std::size_t Stream::write_now(Bytes bytes, error_code& error) noexcept {
  error.clear();
  std::size_t written = 0;
  while (written < bytes.size() && !error) {
    const Bytes rest = bytes.subspan(written);
    if (!is_tls()) {
      written += socket_.write_some(asio::buffer(rest.data(), rest.size()), error);
      continue;
    }
    const asio::const_buffer record{rest.data(), rest.size()};
    const Attempt attempt = try_write({&record, 1});
    written += attempt.bytes;
    error = attempt.wait ? error_code(asio::error::would_block) : attempt.error;
  }
  return written;
}

Stream::Attempt Stream::tls_attempt(int result) noexcept {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.wait = tcp::socket::wait_read};
    case SSL_ERROR_WANT_WRITE:
      return {.wait = tcp::socket::wait_write};
    case SSL_ERROR_ZERO_RETURN:
      return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL:
      tls_usable_ = false;
      if (system_error == 0) return {.error = asio::error::eof};
      return {.error = error_code(system_error, boost::system::system_category())};
    default: {
      tls_usable_ = false;
      const unsigned long code = ERR_get_error();
      return {.error = code == 0 ? error_code(asio::error::connection_aborted)
                                 : error_code(static_cast<int>(code), asio::error::get_ssl_category())};
    }
  }
}

void Stream::shutdown_send() noexcept {
  if (!socket_.is_open()) return;
  if (std::exchange(tls_usable_, false)) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void Stream::close() noexcept {
  shutdown_send();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace causeway::net
