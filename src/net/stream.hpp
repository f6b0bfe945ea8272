// SPDX-License-Identifier: Apache-2.0
// A TCP connection, with TLS or without: one type for both, so that everything above is written once.
//
// TLS works on the socket's own non-blocking descriptor: OpenSSL is asked first and the socket is awaited only when it
// says so. (asio::ssl::stream keeps two buffers of 17 KiB and a BIO pair for every idle connection.)
//
// A Stream is an AsyncReadStream and an AsyncWriteStream. At most one read and one write may be outstanding; while one
// is, the Stream must not be moved or destroyed. close() ends them with asio::error::operation_aborted. A write that
// was cancelled leaves the Stream fit for nothing but close(). The end of the peer's data, with or without a TLS
// close_notify, is asio::error::eof: everything that runs on it frames its own messages.
//
// OpenSSL writes with write(2): the process must ignore SIGPIPE.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "causeway/base/bytes.hpp"
#include "net/asio.hpp"

using SSL = struct ssl_st;

namespace causeway::net {

class TlsContext;

class Stream {
 public:
  using executor_type = tcp::socket::executor_type;
  using next_layer_type = tcp::socket;

  // Takes a connected socket, makes it non-blocking and sets TCP_NODELAY.
  explicit Stream(tcp::socket socket);

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  tcp::socket& next_layer() noexcept { return socket_; }
  const tcp::socket& next_layer() const noexcept { return socket_; }
  bool is_tls() const noexcept { return ssl_ != nullptr; }
  // What the client asked for by SNI; empty without TLS.
  std::string server_name() const;
  bool is_open() const noexcept { return socket_.is_open(); }

  // Turns a plain connection on which nothing was read yet into TLS, as the server; the handshake is still to be made.
  error_code start_tls(const TlsContext& context);
  // Takes the handshake as far as it goes without waiting. What it returns is to be waited for before it goes on;
  // nullopt when the handshake is done, or has failed with `error`.
  std::optional<tcp::socket::wait_type> handshake_now(error_code& error) noexcept;

  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token);

  // Over TLS, small buffers of the sequence leave together in one record of at most 16 KiB.
  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token);

  // Gives the socket what it takes at once: some or all of `bytes`, over TLS in records of up to 16 KiB. Not while a
  // write is outstanding. `error` is would_block when it takes no more for now: then async_wait_writable() says when to
  // go on, and what was not taken comes first in the next call, the first 16 KiB of it unchanged.
  std::size_t write_now(Bytes bytes, error_code& error) noexcept;
  template <class Token>
  auto async_wait_writable(Token&& token) {
    return socket_.async_wait(tcp::socket::wait_write, std::forward<Token>(token));
  }
  // What can be read without waiting, up to `buffer`. `error` is would_block where that was all there is for now: then
  // async_wait_readable() says when to go on. Not while a read is outstanding.
  std::size_t read_now(MutableBytes buffer, error_code& error) noexcept;
  template <class Token>
  auto async_wait_readable(Token&& token) {
    return socket_.async_wait(tcp::socket::wait_read, std::forward<Token>(token));
  }
  static constexpr std::size_t kRecordBytesMax = 16 * 1024;  // RFC 8446 §5.1

  // The same connection on another event loop, of any thread. Nothing is outstanding.
  Stream move_to(const asio::any_io_executor& executor) &&;

  // Tells the peer that nothing more will be sent (TLS close_notify, TCP FIN). Never waits; reading goes on.
  void shutdown_send() noexcept;

  // shutdown_send() and away with the socket. A second close() does nothing.
  void close() noexcept;

 private:
  // What came of asking once: done with `error` and `bytes`, or to be asked again after `wait`.
  struct Attempt {
    error_code error{};
    std::size_t bytes = 0;
    std::optional<tcp::socket::wait_type> wait{};
  };
  static constexpr std::size_t kGatherMax = 16;
  struct Gathered {
    std::array<asio::const_buffer, kGatherMax> buffers{};
    std::size_t count = 0;
  };
  struct ReadStep;
  struct WriteStep;
  template <class Step>
  struct Operation;
  struct StartRead;
  struct StartWrite;
  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept;
  };

  Attempt try_read(asio::mutable_buffer buffer) noexcept;
  Attempt try_write(std::span<const asio::const_buffer> buffers) noexcept;
  Attempt tls_attempt(int result) noexcept;

  tcp::socket socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool drained_ = false;     // the last read over TLS took all there was: the next one waits before it asks
  bool tls_usable_ = false;  // handshake done, no fatal error and no close_notify sent since
};

}  // namespace causeway::net

#include "net/stream_operations.hpp"
