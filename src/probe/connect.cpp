// SPDX-License-Identifier: Apache-2.0
#include "probe/connect.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "causeway/stun/framer.hpp"
#include "probe/advice.hpp"
#include "probe/socket.hpp"
#include "probe/tls_client.hpp"

namespace causeway::probe {
namespace {

using Message = std::vector<std::uint8_t>;
using Received = Result<std::optional<Message>, ProbeError>;

constexpr std::size_t kDatagramBytesMax = 65536;

bool must_wait(ssize_t result) {
  return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

class UdpTransport final : public Transport {
 public:
  explicit UdpTransport(Socket socket) : socket_(std::move(socket)) {}
  bool is_reliable() const noexcept override { return false; }

  std::optional<ProbeError> send(Bytes message, TimePoint) override {
    const ssize_t sent = ::send(socket_.descriptor(), message.data(), message.size(), MSG_NOSIGNAL);
    if (sent >= 0 || must_wait(sent)) return std::nullopt;  // a full queue is a lost packet
    return describe_socket_error("not sent", errno);
  }

  Received receive(TimePoint deadline) override {
    Message message(kDatagramBytesMax);
    while (socket_.wait(POLLIN, deadline)) {
      const ssize_t size = ::recv(socket_.descriptor(), message.data(), message.size(), 0);
      if (must_wait(size)) continue;
      if (size < 0) return describe_socket_error("the answer to a packet", errno);
      message.resize(static_cast<std::size_t>(size));
      return std::optional<Message>{std::move(message)};
    }
    return std::optional<Message>{};
  }

 private:
  Socket socket_;
};

class TcpBytes {
 public:
  explicit TcpBytes(Socket socket) : socket_(std::move(socket)) {}

  Result<std::size_t, ProbeError> write(Bytes bytes, TimePoint deadline) {
    while (socket_.wait(POLLOUT, deadline)) {
      const ssize_t size = ::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) return static_cast<std::size_t>(size);
      if (!must_wait(size)) return describe_socket_error("not sent", errno);
    }
    return std::size_t{0};
  }

  Result<std::size_t, ProbeError> read(MutableBytes bytes, TimePoint deadline) {
    while (socket_.wait(POLLIN, deadline)) {
      const ssize_t size = ::recv(socket_.descriptor(), bytes.data(), bytes.size(), 0);
      if (size > 0) return static_cast<std::size_t>(size);
      if (size == 0) return describe_socket_error("the server closed the connection", ECONNRESET);
      if (!must_wait(size)) return describe_socket_error("nothing received", errno);
    }
    return std::size_t{0};
  }

 private:
  Socket socket_;
};

// DTLS: each message is a record of its own (RFC 7350 §3).
class DtlsTransport final : public Transport {
 public:
  explicit DtlsTransport(TlsClient session) : session_(std::move(session)) {}
  bool is_reliable() const noexcept override { return false; }

  std::optional<ProbeError> send(Bytes message, TimePoint deadline) override {
    const auto written = session_.write(message, deadline);
    if (!written) return written.error();
    return std::nullopt;
  }

  Received receive(TimePoint deadline) override {
    Message message(kDatagramBytesMax);
    const auto read = session_.read(message, deadline);
    if (!read) return read.error();
    if (*read == 0) return std::optional<Message>{};
    message.resize(*read);
    return std::optional<Message>{std::move(message)};
  }

 private:
  TlsClient session_;
};

// Whole messages over a stream of octets; ByteStream's read and write move at least one octet, or 0 at the deadline.
template <class ByteStream>
class StreamTransport final : public Transport {
 public:
  explicit StreamTransport(ByteStream stream) : stream_(std::move(stream)) {}
  bool is_reliable() const noexcept override { return true; }

  std::optional<ProbeError> send(Bytes message, TimePoint deadline) override {
    while (!message.empty()) {
      const auto written = stream_.write(message, deadline);
      if (!written) return written.error();
      if (*written == 0) return describe_socket_error("not sent", ETIMEDOUT);
      message = message.subspan(*written);
    }
    return std::nullopt;
  }

  Received receive(TimePoint deadline) override {
    for (;;) {
      const auto frame = framer_.next();
      if (!frame) {
        return ProbeError{"the answer is neither STUN nor ChannelData", "The port speaks another protocol"};
      }
      if (*frame) return std::optional<Message>{Message((*frame)->begin(), (*frame)->end())};
      const auto read = stream_.read(framer_.prepare(), deadline);
      if (!read) return read.error();
      if (*read == 0) return std::optional<Message>{};
      framer_.commit(*read);
    }
  }

 private:
  ByteStream stream_;
  stun::StreamFramer framer_;
};

}  // namespace

Result<Opened, ProbeError> connect(const ProbeUri& uri, const Endpoint& server, const CertificateCheck& check,
                                   TimePoint deadline) {
  auto socket = Socket::connect(is_datagram(uri.transport) ? SOCK_DGRAM : SOCK_STREAM, server, deadline);
  if (!socket) return socket.error();
  if (uri.transport == ProbeTransport::kUdp) return Opened{std::make_unique<UdpTransport>(std::move(*socket)), {}};
  if (uri.transport == ProbeTransport::kTcp) {
    return Opened{std::make_unique<StreamTransport<TcpBytes>>(TcpBytes{std::move(*socket)}), {}};
  }
  auto tls = TlsClient::handshake(std::move(*socket), uri, check, deadline);
  if (!tls) return tls.error();
  std::string facts = tls->facts();
  if (uri.transport == ProbeTransport::kDtls) {
    return Opened{std::make_unique<DtlsTransport>(std::move(*tls)), std::move(facts)};
  }
  return Opened{std::make_unique<StreamTransport<TlsClient>>(std::move(*tls)), std::move(facts)};
}

}  // namespace causeway::probe
