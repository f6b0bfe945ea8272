// SPDX-License-Identifier: Apache-2.0
#include "load/datagram_link.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

constexpr std::size_t kReadBatchMax = 16;
constexpr std::size_t kDatagramBytesMax = 65536;
constexpr int kReceiveBufferBytes = 4 << 20;

// Where datagrams are read to: one for all links of this thread, which read one after the other.
struct Slots {
  Slots() : octets(kReadBatchMax * kDatagramBytesMax) {
    for (std::size_t i = 0; i < kReadBatchMax; ++i) {
      parts[i] = {octets.data() + i * kDatagramBytesMax, kDatagramBytesMax};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void expect_control(bool wanted, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      messages[i].msg_hdr.msg_control = wanted ? control[i].octets.data() : nullptr;
      messages[i].msg_hdr.msg_controllen = wanted ? control[i].octets.size() : 0;
    }
  }

  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> octets;
  };
  std::vector<std::uint8_t> octets;
  std::array<iovec, kReadBatchMax> parts{};
  std::array<mmsghdr, kReadBatchMax> messages{};
  std::array<Control, kReadBatchMax> control{};
};

Slots& slots() {
  static Slots all;
  return all;
}

std::size_t segment_bytes(msghdr& header, std::size_t whole) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(control), sizeof bytes);
    return static_cast<std::size_t>(bytes);
  }
  return std::max<std::size_t>(whole, 1);
}

}  // namespace

DatagramLink::DatagramLink(const Endpoint& local) : RelayLink(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  check(descriptor(), "socket");
  const sockaddr_in address = to_sockaddr(local);
  check(::bind(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  // Beyond the system's limit where this process may, so that nothing is lost at this end.
  if (::setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof kReceiveBufferBytes) != 0)
    (void)::setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
}

void DatagramLink::connect(const Endpoint& remote) {
  const sockaddr_in address = to_sockaddr(remote);
  check(::connect(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
}

Endpoint DatagramLink::local() const {
  return local_endpoint(descriptor());
}

std::vector<std::uint8_t> DatagramLink::ask(Bytes request) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    (void)::send(descriptor(), request.data(), request.size(), 0);
    pollfd wanted{descriptor(), POLLIN, 0};
    if (::poll(&wanted, 1, 500) <= 0) continue;
    std::vector<std::uint8_t> reply(2048);
    const auto bytes = ::recv(descriptor(), reply.data(), reply.size(), 0);
    if (bytes < 0) continue;
    reply.resize(static_cast<std::size_t>(bytes));
    return reply;
  }
  throw std::runtime_error("the server does not answer over UDP");
}

void DatagramLink::prepare(const Framing& out, const Framing& in, const Burst& burst) {
  out_ = out;
  in_ = in;
  burst_ = burst;
  burst_.read_batch = std::min(burst.read_batch, kReadBatchMax);
  frames_.resize(out.frame_bytes() * burst.packets);
  for (std::size_t i = 0; i < burst.packets; ++i)
    out.write(frames_.data() + i * out.frame_bytes(), {});
  const int on = burst.coalesce ? 1 : 0;
  check(::setsockopt(descriptor(), SOL_UDP, UDP_GRO, &on, sizeof on), "UDP_GRO");
}

bool DatagramLink::send(Stamp stamp, std::size_t packets) {
  const std::size_t frame = out_->frame_bytes();
  for (std::size_t i = 0; i < packets; ++i, ++stamp.sequence)
    out_->restamp(frames_.data() + i * frame, stamp);
  if (packets == 1) return ::send(descriptor(), frames_.data(), frame, MSG_DONTWAIT) >= 0;
  return burst_.segment ? send_segmented(packets) : send_each(packets);
}

bool DatagramLink::send_segmented(std::size_t packets) {
  iovec part{frames_.data(), packets * out_->frame_bytes()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* segment = CMSG_FIRSTHDR(&header);
  segment->cmsg_level = SOL_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto bytes = static_cast<std::uint16_t>(out_->frame_bytes());
  std::memcpy(CMSG_DATA(segment), &bytes, sizeof bytes);
  return ::sendmsg(descriptor(), &header, MSG_DONTWAIT) >= 0;
}

bool DatagramLink::send_each(std::size_t packets) {
  std::vector<iovec> parts(packets);
  std::vector<mmsghdr> messages(packets);
  for (std::size_t i = 0; i < packets; ++i) {
    parts[i] = {frames_.data() + i * out_->frame_bytes(), out_->frame_bytes()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  return ::sendmmsg(descriptor(), messages.data(), static_cast<unsigned>(packets), MSG_DONTWAIT) > 0;
}

void DatagramLink::receive(Arrivals& arrivals) {
  Slots& into = slots();
  into.expect_control(burst_.coalesce, burst_.read_batch);
  const int count =
      ::recvmmsg(descriptor(), into.messages.data(), static_cast<unsigned>(burst_.read_batch), MSG_DONTWAIT, nullptr);
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    Bytes rest{into.octets.data() + i * kDatagramBytesMax, into.messages[i].msg_len};
    const std::size_t segment =
        burst_.coalesce ? segment_bytes(into.messages[i].msg_hdr, rest.size()) : std::max<std::size_t>(rest.size(), 1);
    while (!rest.empty()) {
      const Bytes frame = rest.first(std::min(segment, rest.size()));
      rest = rest.subspan(frame.size());
      if (const auto stamp = in_->read(frame))
        arrivals.arrived(*stamp);
      else
        arrivals.wrong();
    }
  }
}

}  // namespace causeway::load
