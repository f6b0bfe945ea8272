// SPDX-License-Identifier: Apache-2.0
#include "load/stream_link.hpp"

#include <fcntl.h>
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

}  // namespace

StreamLink::StreamLink(const Endpoint& local, const Endpoint& remote, SSL_CTX* context)
    : RelayLink(open_stream_socket(local, 0)), stream_(descriptor(), context) {
  const timeval patience{5, 0};
  check(::setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  if (!stream_.connect(remote)) throw std::runtime_error("the server does not take a connection");
  if (stream_.is_tls() && !stream_.shake_hands()) throw std::runtime_error("the TLS handshake failed");
}

std::vector<std::uint8_t> StreamLink::ask(Bytes request) {
  if (stream_.write_some(request) != request.size()) throw std::runtime_error("the server does not take a request");
  std::vector<std::uint8_t> reply(2048);
  std::size_t received = 0;
  while (received < stun::kHeaderBytes || received < frame_bytes(reply.data())) {
    const std::size_t more = stream_.read_some(MutableBytes{reply}.subspan(received));
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

bool StreamLink::flush() {
  // OpenSSL wants to be given again what it did not take: one frame, as it was.
  while (!waiting_.empty()) {
    const std::size_t bytes = stream_.is_tls() ? std::min(waiting_.size(), out_->frame_bytes()) : waiting_.size();
    const std::size_t written = stream_.write_some(Bytes{waiting_}.first(bytes));
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
  const std::size_t step = stream_.is_tls() ? frame : whole;  // one record for each frame, as clients do
  for (std::size_t at = 0; at < whole;) {
    const std::size_t written = stream_.write_some(Bytes{frames_}.subspan(at, step));
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
    const std::size_t bytes = stream_.read_some(MutableBytes{input_}.subspan(received_, kReadBytes));
    if (bytes == 0) return;
    received_ += bytes;
    const std::size_t taken = take_frames(arrivals);
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(taken),
              input_.begin() + static_cast<std::ptrdiff_t>(received_), input_.begin());
    received_ -= taken;
  } while (stream_.is_tls());  // what OpenSSL holds makes no descriptor readable
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
