// SPDX-License-Identifier: Apache-2.0
#include "load/stream_link.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <stdexcept>

#include "causeway/stun/types.hpp"
#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

constexpr std::size_t kReadBytes = 65536;

// Of the frame that begins here: a STUN message, or ChannelData padded to four octets (RFC 8656 §12.5).
std::size_t frame_bytes(const std::uint8_t* header) {
  const std::size_t length = load_be16(header + 2);
  return header[0] < 0x40 ? stun::kHeaderBytes + length : 4 + (length + 3) / 4 * 4;
}

int open_socket() {
  return check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
}

}  // namespace

TlsContext make_tls_context() {
  TlsContext context{SSL_CTX_new(TLS_client_method())};
  if (!context) throw std::runtime_error("OpenSSL makes no TLS client");
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

StreamLink::StreamLink(const Endpoint& local, const Endpoint& remote, SSL_CTX* context) : Link(open_socket()) {
  const sockaddr_in from = to_sockaddr(local), to = to_sockaddr(remote);
  check(::bind(descriptor(), reinterpret_cast<const sockaddr*>(&from), sizeof from), "bind");
  check(::connect(descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
  const int on = 1;
  check(::setsockopt(descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  const timeval patience{5, 0};
  check(::setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  if (context == nullptr) return;
  tls_.reset(SSL_new(context));
  SSL_set_fd(tls_.get(), descriptor());
  if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("the TLS handshake failed");
}

std::vector<std::uint8_t> StreamLink::ask(Bytes request) {
  if (write_some(request) != request.size()) throw std::runtime_error("the server does not take a request");
  std::vector<std::uint8_t> reply(2048);
  std::size_t received = 0;
  while (received < stun::kHeaderBytes || received < frame_bytes(reply.data())) {
    const std::size_t more = read_some(MutableBytes{reply}.subspan(received));
    if (more == 0) throw std::runtime_error("the server does not answer over its stream");
    received += more;
  }
  reply.resize(frame_bytes(reply.data()));
  return reply;
}

void StreamLink::prepare(const Framing& out, const Framing& in, const Burst& burst) {
  out_ = out;
  in_ = in;
  frames_.resize(out.frame_bytes() * burst.packets);
  for (std::size_t i = 0; i < burst.packets; ++i)
    out.write(frames_.data() + i * out.frame_bytes(), {});
  input_.resize(2 * kReadBytes);
  check(::fcntl(descriptor(), F_SETFL, ::fcntl(descriptor(), F_GETFL) | O_NONBLOCK), "O_NONBLOCK");
}

std::size_t StreamLink::write_some(Bytes from) {
  const auto bytes = tls_ ? SSL_write(tls_.get(), from.data(), static_cast<int>(from.size()))
                          : ::send(descriptor(), from.data(), from.size(), MSG_NOSIGNAL);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::size_t StreamLink::read_some(MutableBytes to) {
  const auto bytes = tls_ ? SSL_read(tls_.get(), to.data(), static_cast<int>(to.size()))
                          : ::recv(descriptor(), to.data(), to.size(), 0);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool StreamLink::flush() {
  // OpenSSL wants to be given again what it did not take: one frame, as it was.
  while (!waiting_.empty()) {
    const std::size_t bytes = tls_ ? std::min(waiting_.size(), out_->frame_bytes()) : waiting_.size();
    const std::size_t written = write_some(Bytes{waiting_}.first(bytes));
    if (written == 0) return false;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(written));
  }
  return true;
}

bool StreamLink::send(Stamp stamp, std::size_t packets) {
  if (!flush()) return false;
  const std::size_t frame = out_->frame_bytes(), whole = packets * frame;
  for (std::size_t i = 0; i < packets; ++i, ++stamp.sequence)
    out_->restamp(frames_.data() + i * frame, stamp);
  const std::size_t step = tls_ ? frame : whole;  // one record for each frame, as clients do
  for (std::size_t at = 0; at < whole;) {
    const std::size_t written = write_some(Bytes{frames_}.subspan(at, step));
    at += written;
    if (written == step) continue;
    waiting_.assign(frames_.begin() + static_cast<std::ptrdiff_t>(at),
                    frames_.begin() + static_cast<std::ptrdiff_t>(whole));
    break;
  }
  return true;
}

void StreamLink::receive(Arrivals& arrivals) {
  if (!waiting_.empty()) (void)flush();
  do {
    const std::size_t bytes = read_some(MutableBytes{input_}.subspan(received_, kReadBytes));
    if (bytes == 0) return;
    received_ += bytes;
    const std::size_t taken = take_frames(arrivals);
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(taken),
              input_.begin() + static_cast<std::ptrdiff_t>(received_), input_.begin());
    received_ -= taken;
  } while (tls_);  // what OpenSSL holds makes no descriptor readable
}

std::size_t StreamLink::take_frames(Arrivals& arrivals) {
  std::size_t at = 0;
  while (received_ - at >= 4 && received_ - at >= frame_bytes(input_.data() + at)) {
    const Bytes frame{input_.data() + at, frame_bytes(input_.data() + at)};
    at += frame.size();
    if (const auto stamp = in_->read(frame))
      arrivals.arrived(*stamp);
    else
      arrivals.wrong();
  }
  return at;
}

}  // namespace causeway::load
